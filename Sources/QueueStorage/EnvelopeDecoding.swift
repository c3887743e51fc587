import MailValues
import QueueEngine
import SMTPProtocol
import SwiftProtobuf

/// An envelope as one stored value tells it, and the store's epoch when it was written.
struct DecodedEnvelope {
    var envelope: Envelope
    var epoch: UInt64
}

enum EnvelopeDecoding {
    /// Reads what `WireWriter.envelope` wrote.
    static func envelope(
        _ id: QueueID, _ value: UnsafeRawBufferPointer
    ) throws(StoredValueError) -> DecodedEnvelope {
        let stored: Chappe_Queue_StoredEnvelope = try message(value, "envelope")
        var recipients: [Recipient] = []
        recipients.reserveCapacity(stored.recipients.count)
        for each in stored.recipients { recipients.append(try recipient(each)) }
        guard let size = Int(exactly: stored.sizeOctets) else { throw .malformed("size") }
        var envelope = Envelope(
            id: id, acceptedAt: Timestamp(milliseconds: stored.acceptedAt),
            reversePath: stored.hasReversePath
                ? .mailbox(mailbox(stored.reversePath.localPart, stored.reversePath.domain)) : .null,
            recipients: recipients, sizeOctets: size,
            origin: Envelope.Origin(
                listener: stored.listener, client: try address(stored.client),
                account: stored.hasAccount ? stored.account : nil))
        try fill(&envelope, from: stored)
        return DecodedEnvelope(envelope: envelope, epoch: stored.epoch)
    }

    /// The same from octets of one's own.
    static func envelope(_ id: QueueID, stored: [UInt8]) throws(StoredValueError) -> DecodedEnvelope {
        let result = stored.withUnsafeBytes { octets in
            Result { () throws(StoredValueError) in try envelope(id, octets) }
        }
        return try result.get()
    }

    /// Reads what `WireWriter.progress` wrote.
    static func progress(_ value: UnsafeRawBufferPointer) throws(StoredValueError) -> Recipient.Progress {
        try progress(try message(value, "progress"))
    }

    private static func message<M: Message>(
        _ value: UnsafeRawBufferPointer, _ what: String
    ) throws(StoredValueError) -> M {
        let body = try StoredValue.body(of: value)
        do { return try M(serializedBytes: [UInt8](body)) } catch { throw .malformed(what) }
    }

    private static func fill(
        _ envelope: inout Envelope, from stored: Chappe_Queue_StoredEnvelope
    ) throws(StoredValueError) {
        envelope.chunkCount = stored.chunkCount
        envelope.digest = [UInt8](stored.digest)
        envelope.body = try choice(stored.body, "body")
        envelope.smtpUTF8 = stored.smtpUtf8
        envelope.hasEightBit = stored.hasEightBit_p
        envelope.repairedLineEnds = stored.repairedLineEnds
        envelope.dsnReturn = try choice(stored.dsnReturn, "DSN return")
        envelope.dsnEnvelopeID = stored.hasDsnEnvelopeID ? stored.dsnEnvelopeID : nil
        guard let priority = Int8(exactly: stored.priority) else { throw .malformed("priority") }
        envelope.priority = priority
        envelope.hold = stored.hasHold ? hold(stored.hold) : nil
        envelope.notBefore = stored.hasNotBefore ? Timestamp(milliseconds: stored.notBefore) : nil
        envelope.deadline = stored.hasDeadline ? Timestamp(milliseconds: stored.deadline) : nil
        envelope.delayNotifiedAt =
            stored.hasDelayNotifiedAt ? Timestamp(milliseconds: stored.delayNotifiedAt) : nil
        if stored.hasOffered {
            envelope.offered = try handover(stored.offered)
            // The hold beside it is for those who do not know what an offer is.
            envelope.hold = stored.offered.hasHold ? hold(stored.offered.hold) : nil
        }
        // A kind that a later version found is left out: nothing here could have a verdict on it.
        if !stored.fingerprints.isEmpty {
            envelope.fingerprints = stored.fingerprints.compactMap { Fingerprint(octets: [UInt8]($0)) }
        }
        envelope.adopted = stored.hasAdopted ? try handover(stored.adopted) : nil
    }

    private static func handover(
        _ stored: Chappe_Queue_StoredHandover
    ) throws(StoredValueError) -> Envelope.Handover {
        guard let node = NodeID(octets: stored.node) else { throw .malformed("node") }
        return Envelope.Handover(node, epoch: stored.epoch)
    }

    static func hold(_ stored: Chappe_Queue_StoredHold) -> Envelope.Hold {
        Envelope.Hold(by: stored.by, reason: stored.reason, since: Timestamp(milliseconds: stored.since))
    }

    private static func recipient(
        _ stored: Chappe_Queue_StoredRecipient
    ) throws(StoredValueError) -> Recipient {
        var notify: DSNNotify?
        if stored.hasNotify {
            guard let bits = UInt8(exactly: stored.notify) else { throw .malformed("notify") }
            notify = DSNNotify(rawValue: bits)
        }
        return Recipient(
            mailbox: mailbox(stored.localPart, stored.domain), notify: notify,
            originalRecipient: stored.hasOriginalRecipient ? stored.originalRecipient : nil,
            progress: stored.hasProgress ? try progress(stored.progress) : Recipient.Progress())
    }

    private static func progress(
        _ stored: Chappe_Queue_StoredProgress
    ) throws(StoredValueError) -> Recipient.Progress {
        var progress = Recipient.Progress()
        guard let raw = UInt8(exactly: stored.state), let state = Recipient.Progress.State(rawValue: raw)
        else {
            throw .malformed("state of a recipient")
        }
        progress.state = state
        progress.attempts = stored.attempts
        progress.nextAttempt = stored.hasNextAttempt ? Timestamp(milliseconds: stored.nextAttempt) : nil
        progress.lastReply = stored.hasLastReply ? try reply(stored.lastReply) : nil
        progress.lastHost = stored.hasLastHost ? stored.lastHost : nil
        progress.lastAttempt = stored.hasLastAttempt ? Timestamp(milliseconds: stored.lastAttempt) : nil
        return progress
    }

    private static func reply(_ stored: Chappe_Queue_StoredReply) throws(StoredValueError) -> Reply {
        guard let code = UInt16(exactly: stored.code), let statusClass = UInt8(exactly: stored.statusClass),
            let subject = UInt16(exactly: stored.statusSubject),
            let detail = UInt16(exactly: stored.statusDetail)
        else { throw .malformed("reply") }
        return Reply(code, statusClass == 0 ? nil : EnhancedStatus(statusClass, subject, detail), stored.text)
    }

    private static func mailbox(_ localPart: String, _ domain: String) -> Mailbox {
        Mailbox(localPart: localPart, domain: Domain(domain))
    }

    private static func address(_ octets: some Collection<UInt8>) throws(StoredValueError) -> IPAddress? {
        guard !octets.isEmpty else { return nil }
        guard let address = IPAddress(octets: octets) else { throw .malformed("client address") }
        return address
    }

    /// 0 is nothing said; n is the raw value n − 1.
    private static func choice<C: RawRepresentable>(
        _ stored: UInt32, _ what: String
    ) throws(StoredValueError) -> C? where C.RawValue == UInt8 {
        guard stored != 0 else { return nil }
        guard let raw = UInt8(exactly: stored - 1), let choice = C(rawValue: raw) else {
            throw .malformed(what)
        }
        return choice
    }
}
