import MailValues
import QueueEngine
import SMTPProtocol

extension WireWriter {
    /// The stored form of an envelope, its version first (`StoredEnvelope` in `Proto/queue.proto`).
    ///
    /// An amendment leaves the recipients out.
    func envelope(_ envelope: borrowing Envelope, epoch: UInt64, withRecipients: Bool) {
        octet(StoredValue.version)
        time(1, envelope.acceptedAt)
        if case .mailbox(let mailbox) = envelope.reversePath {
            nested(2) {
                text(1, mailbox.localPart)
                text(2, mailbox.domain.name)
            }
        }
        if withRecipients {
            for recipient in envelope.recipients { self.recipient(recipient) }
        }
        number(4, UInt64(envelope.sizeOctets))
        number(5, UInt64(envelope.chunkCount))
        if !envelope.digest.isEmpty { envelope.digest.withUnsafeBytes { bytes(6, $0) } }
        if let body = envelope.body { number(7, UInt64(body.rawValue) + 1) }
        flag(8, envelope.smtpUTF8)
        flag(9, envelope.hasEightBit)
        flag(10, envelope.repairedLineEnds)
        if let dsnReturn = envelope.dsnReturn { number(11, UInt64(dsnReturn.rawValue) + 1) }
        if let id = envelope.dsnEnvelopeID { present(12, id) }
        text(13, envelope.origin.listener)
        if let client = envelope.origin.client { address(14, client) }
        if let account = envelope.origin.account { present(15, account) }
        // sint32: the sign goes into the lowest bit.
        let priority = Int32(envelope.priority)
        number(16, UInt64(UInt32(bitPattern: priority << 1 ^ priority >> 31)))
        if let hold = envelope.heldForEverybody { nested(17) { self.hold(hold) } }
        time(18, envelope.notBefore)
        time(19, envelope.deadline)
        time(20, envelope.delayNotifiedAt)
        number(21, epoch)
        if let offered = envelope.offered { nested(22) { handover(offered, hold: envelope.hold) } }
        if let adopted = envelope.adopted { nested(23) { handover(adopted, hold: nil) } }
        for fingerprint in envelope.fingerprints { fingerprint.octets.withUnsafeBytes { bytes(24, $0) } }
    }

    /// The stored form of one recipient's progress, its version first.
    func progress(_ progress: borrowing Recipient.Progress) {
        octet(StoredValue.version)
        progressFields(progress)
    }

    private func recipient(_ recipient: borrowing Recipient) {
        nested(3) {
            text(1, recipient.mailbox.localPart)
            text(2, recipient.mailbox.domain.name)
            if let notify = recipient.notify { present(3, UInt64(notify.rawValue)) }
            if let original = recipient.originalRecipient { present(4, original) }
            // New mail is the common case, and has made no progress.
            if recipient.progress != Recipient.Progress() { nested(5) { progressFields(recipient.progress) } }
        }
    }

    private func progressFields(_ progress: borrowing Recipient.Progress) {
        number(1, UInt64(progress.state.rawValue))
        number(2, UInt64(progress.attempts))
        time(3, progress.nextAttempt)
        if let reply = progress.lastReply {
            nested(4) {
                number(1, UInt64(reply.code))
                if let enhanced = reply.enhanced {
                    number(2, UInt64(enhanced.statusClass))
                    number(3, UInt64(enhanced.subject))
                    number(4, UInt64(enhanced.detail))
                }
                text(5, reply.text)
            }
        }
        if let host = progress.lastHost { present(5, host) }
        time(6, progress.lastAttempt)
    }

    private func handover(_ handover: Envelope.Handover, hold: Envelope.Hold?) {
        handover.node.octets.withUnsafeBytes { bytes(1, $0) }
        number(2, handover.epoch)
        if let hold { nested(3) { self.hold(hold) } }
    }

    func hold(_ hold: borrowing Envelope.Hold) {
        text(1, hold.by)
        text(2, hold.reason)
        time(3, hold.since)
    }

    private func time(_ field: Int, _ moment: Timestamp) {
        number(field, UInt64(bitPattern: moment.milliseconds))
    }

    private func time(_ field: Int, _ moment: Timestamp?) {
        if let moment { present(field, UInt64(bitPattern: moment.milliseconds)) }
    }

    private func address(_ field: Int, _ address: IPAddress) {
        switch address {
        case .v4(let bits):
            withUnsafeBytes(of: bits.bigEndian) { bytes(field, $0) }
        case .v6(let high, let low):
            withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { bytes(field, $0) }
        }
    }
}

extension Envelope {
    /// What holds the message as a version of ours sees it that knows nothing of leaving: for such a one, what
    /// was offered to another node is held, since two nodes would attempt it otherwise. So the form of the store stays
    /// readable by the version before, and harmless in its hands.
    fileprivate var heldForEverybody: Hold? {
        guard let offered else { return hold }
        return Hold(by: "leave", reason: "offered to node \(offered.node)", since: acceptedAt)
    }
}
