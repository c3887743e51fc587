import FoundationEssentials
import MailValues
import QueueEngine
import SMTPProtocol
import SwiftProtobuf
import Testing

@testable import QueueStorage

@Suite struct EnvelopeEncodingTests {
    /// Every field filled, then each left out in turn.
    static let envelopes: [Envelope] = {
        var full = Sample.envelope(1, recipients: 3, size: 1 << 33)
        full.chunkCount = 70_000
        full.digest = Sample.content(3, octets: 32)
        full.body = .eightBitMIME
        full.smtpUTF8 = true
        full.hasEightBit = true
        full.repairedLineEnds = true
        full.dsnReturn = .headers
        full.dsnEnvelopeID = ""
        full.origin = Envelope.Origin(
            listener: "submission", client: IPAddress("2001:db8::1"), account: "jürgen@example.org")
        full.priority = -9
        full.hold = Envelope.Hold(
            by: "operator:0", reason: String(repeating: "why ", count: 60), since: Sample.start)
        full.notBefore = Sample.start
        full.deadline = Timestamp(milliseconds: -1)
        full.delayNotifiedAt = Timestamp(milliseconds: 0)
        full.fingerprints = [
            Fingerprint(.body, digest: Sample.content(4, octets: 32))!,
            Fingerprint(.attachment, digest: Sample.content(5, octets: 32))!,
        ]
        full.recipients[0].notify = [.success, .delay]
        full.recipients[0].originalRecipient = "rfc822;a@b.example"
        full.recipients[1].progress = Sample.progress(3, String(repeating: "x", count: 20_000))
        full.recipients[2].progress.state = .bounced
        full.recipients[2].notify = []
        var empty = Envelope(
            id: Sample.id(2), acceptedAt: Timestamp(milliseconds: 0), reversePath: .null, recipients: [],
            sizeOctets: 0,
            origin: Envelope.Origin(listener: ""))
        empty.priority = 9
        var plainReply = Sample.envelope(4)
        plainReply.recipients[0].progress.lastReply = Reply(220, nil, "")
        plainReply.dsnReturn = .full
        plainReply.body = .sevenBit
        var offered = Sample.envelope(6)
        offered.offered = Envelope.Handover(Sample.node(1), epoch: 7)
        offered.adopted = Envelope.Handover(Sample.node(0xFF), epoch: .max)
        var offeredWhileHeld = full
        offeredWhileHeld.offered = Envelope.Handover(Sample.node(2), epoch: 0)
        return [full, empty, plainReply, Sample.envelope(5), offered, offeredWhileHeld]
    }()

    @Test(
        "the octets written by hand are those of the generated code, and read back as what was written",
        arguments: envelopes)
    func agrees(_ envelope: Envelope) throws {
        let wire = WireWriter(capacity: 1)
        wire.envelope(envelope, epoch: 3, withRecipients: true)
        let octets = [UInt8](wire.octets)
        let stored = try Chappe_Queue_StoredEnvelope(serializedBytes: Array(octets.dropFirst()))
        #expect(octets.first == 1)
        #expect(try stored.serializedBytes() as [UInt8] == Array(octets.dropFirst()))
        let decoded = try octets.withUnsafeBytes { try EnvelopeDecoding.envelope(envelope.id, $0) }
        #expect(decoded.envelope == envelope)
        #expect(decoded.epoch == 3)
    }

    @Test("what was offered to another node is held for a version that knows no offers")
    func isHeldForOlderVersions() throws {
        var envelope = Sample.envelope(1)
        envelope.offered = Envelope.Handover(Sample.node(3), epoch: 2)
        let wire = WireWriter()
        wire.envelope(envelope, epoch: 0, withRecipients: false)
        var stored = try Chappe_Queue_StoredEnvelope(serializedBytes: [UInt8](wire.octets.dropFirst()))
        stored.clearOffered()
        let octets = try [1] + stored.serializedBytes() as [UInt8]
        let seen = try octets.withUnsafeBytes { try EnvelopeDecoding.envelope(envelope.id, $0) }.envelope
        #expect(seen.hold?.by == "leave")
        #expect(seen.hold?.reason == "offered to node 0303030303030303")
    }

    @Test("a kind of fingerprint that a later version found is left out, and one cut short too")
    func skipsUnknownFingerprints() throws {
        var stored = Chappe_Queue_StoredEnvelope()
        let good = try #require(Fingerprint(.attachment, digest: Sample.content(5, octets: 32)))
        stored.fingerprints = [Data([9] + good.digest), Data(good.octets), Data(good.octets.dropLast())]
        let octets = try [1] + stored.serializedBytes() as [UInt8]
        let seen = try EnvelopeDecoding.envelope(Sample.id(1), stored: octets).envelope
        #expect(seen.fingerprints == [good])
    }

    @Test("a value cut anywhere is an error or another envelope, never a crash")
    func survivesCuts() {
        let wire = WireWriter()
        wire.envelope(Self.envelopes[0], epoch: 0, withRecipients: true)
        let octets = [UInt8](wire.octets)
        for cut in 0..<min(octets.count, 600) {
            octets[..<cut].withUnsafeBytes { _ = try? EnvelopeDecoding.envelope(Sample.id(1), $0) }
        }
        #expect(throws: StoredValueError.empty) {
            try [UInt8]().withUnsafeBytes { try EnvelopeDecoding.envelope(Sample.id(1), $0) }
        }
        #expect(throws: StoredValueError.unknownVersion(2)) {
            try [2 as UInt8, 8].withUnsafeBytes { try EnvelopeDecoding.progress($0) }
        }
    }
}

@Suite struct RoomPolicyTests {
    private static let policy = RoomPolicy(StoreOptions().fitted(to: 64 << 20))

    struct Case: Sendable {
        var free: Int
        var waiting: Int
        var holds: Bool
        var verdict: RoomPolicy.Verdict
    }

    @Test(
        "intake ends first, then the ballast goes, then deliveries end",
        arguments: [
            Case(
                free: 40 << 20, waiting: 0, holds: true,
                verdict: .init(mayTakeMail: true, mayDeliver: true, mayHoldBallast: true)),
            Case(
                free: 40 << 20, waiting: 20_000, holds: true,
                verdict: .init(mayTakeMail: false, mayDeliver: true, mayHoldBallast: true)),
            Case(
                free: 5 << 20, waiting: 0, holds: true,
                verdict: .init(mayTakeMail: false, mayDeliver: true, mayHoldBallast: true)),
            Case(
                free: 1 << 20, waiting: 0, holds: true,
                verdict: .init(mayTakeMail: false, mayDeliver: true, mayHoldBallast: false)),
            Case(
                free: 5 << 20, waiting: 0, holds: false,
                verdict: .init(mayTakeMail: false, mayDeliver: true, mayHoldBallast: false)),
            Case(
                free: 1 << 20, waiting: 0, holds: false,
                verdict: .init(mayTakeMail: false, mayDeliver: false, mayHoldBallast: false)),
            Case(
                free: 40 << 20, waiting: 0, holds: false,
                verdict: .init(mayTakeMail: false, mayDeliver: true, mayHoldBallast: true)),
        ])
    func judges(_ sample: Case) {
        let verdict = Self.policy.judge(
            freeOctets: sample.free, usage: .init(waitingMessages: sample.waiting),
            holdsBallast: sample.holds, wasTaking: true)
        #expect(verdict == sample.verdict)
    }
}
