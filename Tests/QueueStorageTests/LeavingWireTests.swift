import MailValues
import QueueEngine
import QueueStorage
import Testing

@Suite("What leavers and heirs say, as octets") struct LeavingWireTests {
    private static let wire = LeavingWire(limits: LeavingLimits(), envelopes: StoredEnvelopeCoding())
    private static let subject = LeavingFrame.Subject(leaver: Sample.node(1), heir: Sample.node(2))
    private static let session = LeavingSession(epoch: .max, round: .max)
    private static let receipt = Receipt(Sample.id(1), epoch: 7)

    static let frames: [LeavingFrame] = [
        .open(subject, session, settled: 5), .open(subject, LeavingSession(epoch: 0, round: 0), settled: 0),
        .probe(
            subject, session, nonce: .max, number: 3,
            [
                IDRange(Sample.id(1), Sample.id(2), RangeSummary(count: 1, high: .max, low: 0)),
                IDRange(Sample.id(3), Sample.id(3), .none),
            ]),
        .offer(
            LeavingFrame.Offer(
                session: session, nonce: 1, count: .max, id: Sample.id(3), epoch: 2,
                envelope: Sample.envelope(3, recipients: 3), content: [Sample.content(3), []])),
        .piece(
            LeavingFrame.Piece(
                session: session, nonce: 1, count: 2, id: Sample.id(1), number: 3, octets: Sample.content(1))),
        .testament(
            LeavingFrame.Testament(
                subject: .end(of: Sample.node(3)), number: 1, part: 2, isLast: true, receipts: [receipt])),
        .opened(subject, session, nonce: 1, isTaking: true, knows: false),
        .found(
            subject, session, nonce: 1, number: 2, [.same, .differs, .receipts([receipt]), .receipts([])]),
        .answers(
            session, nonce: 1, OfferAnswer.Outcome.allCases.enumerated().map { OfferAnswer(UInt64($0), $1) }),
        .fetch(session, nonce: 1, count: 2, piece: 3), .ended(session, nonce: 1),
        .testamentKept(subject, number: 1, part: 2),
    ]

    @Test("what is written is read back", arguments: frames)
    func isReadBack(_ frame: LeavingFrame) throws {
        #expect(try Self.wire.decode(Self.wire.encode(frame)) == frame)
    }

    @Test("a frame cut anywhere is unreadable or another frame, never a crash", arguments: frames)
    func survivesCuts(_ frame: LeavingFrame) {
        let octets = Self.wire.encode(frame)
        for cut in 0..<min(octets.count, 600) { _ = try? Self.wire.decode(Array(octets[..<cut])) }
    }

    @Test("more than the limits allow is not read")
    func isBounded() {
        var small = LeavingLimits()
        small.rangesPerProbe = 1
        small.listedReceipts = 0
        small.answersPerFrame = 1
        small.testamentReceipts = 0
        let strict = LeavingWire(limits: small, envelopes: StoredEnvelopeCoding())
        for place in [2, 5, 7, 8] {
            #expect(throws: LeavingWire<StoredEnvelopeCoding>.Malformed.unreadable) {
                try strict.decode(Self.wire.encode(Self.frames[place]))
            }
        }
        small.frameOctets = 10
        let narrow = LeavingWire(limits: small, envelopes: StoredEnvelopeCoding())
        #expect(throws: LeavingWire<StoredEnvelopeCoding>.Malformed.tooLarge(octets: 11)) {
            try narrow.decode([UInt8](repeating: 0, count: 11))
        }
    }

    @Test("the mark stays with who made it")
    func leavesTheMarkOut() throws {
        var envelope = Sample.envelope(3)
        envelope.offered = Envelope.Handover(Sample.node(2), epoch: 2)
        envelope.hold = Envelope.Hold(by: "operator:0", reason: "why", since: Sample.start)
        let coding = StoredEnvelopeCoding()
        let read = try #require(coding.envelope(coding.octets(of: envelope), id: envelope.id))
        #expect(read.offered == nil)
        #expect(read.hold == envelope.hold)
    }
}
