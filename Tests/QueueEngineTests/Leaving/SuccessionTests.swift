import MailValues
import Testing

@testable import QueueEngine

/// Each state meets each event: nothing traps, nothing is attempted that is not this node's, nothing offered without a mark.
@Suite("Leaver and heir bear every event in every state") struct SuccessionTests {
    private static let me = LeavingWorld.node(0)
    private static let other = LeavingWorld.node(1)
    private static let third = LeavingWorld.node(2)
    private static let session = LeavingSession(epoch: 1, round: 1)
    private static let mine = LeavingFrame.Subject(leaver: me, heir: other)
    private static let theirs = LeavingFrame.Subject(leaver: other, heir: me)

    private static func id(_ number: UInt64) -> QueueID { QueueID(high: number, low: number) }

    private static func envelope(_ number: UInt64, chunks: UInt32 = 0) -> Envelope {
        var envelope = Envelope(
            id: id(number), acceptedAt: Timestamp(seconds: 1), reversePath: .null, recipients: [],
            sizeOctets: 1, origin: Envelope.Origin(listener: "mx"))
        envelope.chunkCount = chunks
        return envelope
    }

    private static func message(_ number: UInt64) -> Leaver.Message {
        Leaver.Message(id(number), due: Timestamp(seconds: 1), octets: 10)
    }

    private static func offer(_ count: UInt64, _ number: UInt64, chunks: UInt32 = 0) -> LeavingFrame {
        .offer(
            LeavingFrame.Offer(
                session: session, nonce: 9, count: count, id: id(number), epoch: 1,
                envelope: envelope(number, chunks: chunks), content: chunks == 0 ? [[1]] : []))
    }

    static let events: [Succession.Event] = [
        .leaver(.leave), .leaver(.stay), .leaver(.intakeStopped), .leaver(.queue([message(1), message(2)])),
        .leaver(.queueRead), .leaver(.arrived(message(3))), .leaver(.epochWritten), .leaver(.writeFailed),
        .leaver(.leftWritten), .leaver(.unmarked([id(1), id(7)])), .leaver(.unmarkFailed([id(1), id(7)])),
        .member(other, .alive), .member(other, .silent), .member(other, .left), .member(other, .evicted),
        .member(third, .alive), .member(me, .alive), .tick,
        .frame(.opened(mine, session, nonce: 5, isTaking: true, knows: true), from: other),
        .frame(.opened(mine, session, nonce: 5, isTaking: false, knows: false), from: third),
        .frame(.found(mine, session, nonce: 5, number: 1, [.same]), from: other),
        .frame(.found(mine, session, nonce: 5, number: 1, [.receipts([])]), from: other),
        .frame(.answers(session, nonce: 5, [OfferAnswer(0, .taken), OfferAnswer(1, .full)]), from: other),
        .frame(.answers(session, nonce: 5, [OfferAnswer(0, .busy), OfferAnswer(1, .missed)]), from: other),
        .frame(.fetch(session, nonce: 5, count: 0, piece: 0), from: other),
        .frame(.ended(session, nonce: 5), from: other),
        .frame(.testamentKept(.end(of: me), number: 1, part: 0), from: third),
        .heir(.found(theirs, number: nil, [Receipt(id(8), epoch: 1)])),
        .heir(.adopted(other, session, [OfferAnswer(0, .taken)])),
        .heir(.adopted(other, session, [OfferAnswer(0, .full)])),
        .heir(.chunkWritten(id(20), number: 0, isDone: true)),
        .heir(.chunkWritten(id(20), number: 0, isDone: false)),
        .heir(.testamentStored(.end(of: other), number: 3, isDone: true)),
        .frame(.open(theirs, session, settled: 0), from: other),
        .frame(.open(theirs, session, settled: .max), from: third),
        .frame(.probe(theirs, session, nonce: 9, number: 1, [IDRange(id(0), id(99), .none)]), from: other),
        .frame(offer(0, 10), from: other), .frame(offer(2, 11), from: other),
        .frame(offer(3, 20, chunks: 2), from: other),
        .frame(
            .piece(
                LeavingFrame.Piece(session: session, nonce: 9, count: 3, id: id(20), number: 0, octets: [1])),
            from: other),
        .frame(
            .testament(
                LeavingFrame.Testament(
                    subject: .end(of: other), number: 3, part: 0, isLast: true, receipts: [])),
            from: other),
    ]

    @Test("random walks through all events, the store answering or not", arguments: 0..<8)
    func walks(_ part: Int) {
        for seed in (part * 50)..<(part * 50 + 50) {
            var random = SeededRandom(UInt64(seed))
            var machine = Succession(me: Self.me, epoch: 0, nonce: 9)
            var marked: Set<QueueID> = [Self.id(7)]
            var now = Uptime.start
            let found = Leaver.FoundMark(Self.message(7), Envelope.Handover(Self.other, epoch: 1))
            var late: [Succession.Event] = [.leaver(.found([found]))]
            for _ in 0..<120 {
                now = now + .milliseconds(.random(in: 0...4_000, using: &random))
                var event = Self.events.randomElement(using: &random) ?? .tick
                if !late.isEmpty, random.chance(0.6) { event = late.removeFirst() }
                if case .leaver(.marked(_, let ids, _, _)) = event { marked.formUnion(ids) }
                var actions: [Succession.Action] = []
                machine.handle(event, now: now, &actions)
                for action in actions {
                    switch action {
                    case .leaver(.mark(let ids, let mark, _)):
                        late.append(
                            random.chance(0.8)
                                ? .leaver(.marked(mark.node, ids, busy: [], gone: []))
                                : .leaver(.markFailed(mark.node, ids)))
                    case .leaver(.unmark(let ids)): marked.subtract(ids)
                    case .send(.offer(let offer), _): #expect(marked.contains(offer.id), "seed \(seed)")
                    case .leaver(.left): #expect(machine.leaver.phase == .left)
                    case .leaver, .heir, .send: break
                    }
                }
            }
        }
    }

    @Test("an heir whose node leaves too takes nothing more, and answers for what it has")
    func closesAsHeir() {
        var machine = Succession(me: Self.me, epoch: 0, nonce: 9)
        var actions: [Succession.Action] = []
        let steps: [Succession.Event] = [
            .heir(.found(Self.theirs, number: nil, [Receipt(Self.id(10), epoch: 1)])), .leaver(.leave),
            .frame(.open(Self.theirs, Self.session, settled: 0), from: Self.other),
            .frame(Self.offer(0, 10), from: Self.other), .frame(Self.offer(1, 11), from: Self.other),
        ]
        for step in steps { machine.handle(step, now: .start, &actions) }
        let said = actions.compactMap { if case .send(let frame, _) = $0 { frame } else { nil } }
        #expect(
            said == [
                .opened(Self.theirs, Self.session, nonce: 9, isTaking: false, knows: true),
                .answers(Self.session, nonce: 9, [OfferAnswer(0, .taken)]),
                .answers(Self.session, nonce: 9, [OfferAnswer(1, .closed)]),
            ])
    }

    @Test("large messages beyond those being fetched wait their turn, and are refused when the heir leaves")
    func fetchesInTurn() {
        var limits = LeavingLimits()
        limits.fetches = 2
        var machine = Succession(me: Self.me, epoch: 0, nonce: 9, limits: limits)
        var actions: [Succession.Action] = []
        func said(_ steps: [Succession.Event]) -> [Succession.Action] {
            actions = []
            for step in steps { machine.handle(step, now: .start, &actions) }
            return actions
        }
        func fetch(_ count: UInt64, piece: UInt32 = 0) -> Succession.Action {
            .send(.fetch(Self.session, nonce: 9, count: count, piece: piece), to: Self.other)
        }
        let offers = (0..<4).map {
            Succession.Event.frame(Self.offer($0, 20 + $0, chunks: 1), from: Self.other)
        }
        _ = said([.frame(.open(Self.theirs, Self.session, settled: 0), from: Self.other)])
        #expect(said(offers) == [fetch(0), fetch(1)])
        #expect(said([.tick]) == [])
        let piece = LeavingFrame.Piece(
            session: Self.session, nonce: 9, count: 0, id: Self.id(20), number: 0, octets: [1])
        #expect(
            said([.frame(.piece(piece), from: Self.other)])
                == [.heir(.writeChunk(Self.id(20), number: 0, octets: [1]))])
        _ = said([.heir(.chunkWritten(Self.id(20), number: 0, isDone: true))])
        // Being adopted it still has its place; once that is certain the next has it.
        #expect(
            said([.heir(.adopted(Self.other, Self.session, [OfferAnswer(0, .taken)]))])
                == [
                    .send(.answers(Self.session, nonce: 9, [OfferAnswer(0, .taken)]), to: Self.other),
                    fetch(2),
                ])
        let refusals = (1...3).map { count in
            Succession.Action.send(
                .answers(Self.session, nonce: 9, [OfferAnswer(count, .closed)]), to: Self.other)
        }
        #expect(said([.leaver(.leave)]).filter { refusals.contains($0) } == refusals)
    }

    @Test("a dead heir's messages are this node's again on the operator's word alone, and counted")
    func takesBack() {
        var leaver = Leaver(me: Self.me, epoch: 1)
        var actions: [Leaver.Action] = []
        let mark = Envelope.Handover(Self.other, epoch: 1)
        for event: Leaver.Event in [
            .found([Leaver.FoundMark(Self.message(1), mark)]), .epochWritten, .member(Self.other, .silent),
            .tick,
        ] {
            leaver.handle(event, now: Uptime(milliseconds: 3_600_000), &actions)
        }
        #expect(actions == [.writeEpoch(2)])
        actions = []
        leaver.handle(.member(Self.other, .evicted), now: Uptime(milliseconds: 3_600_000), &actions)
        #expect(actions == [.unmark([Self.id(1)])])
        #expect(leaver.counters.possibleDuplicates == 1)
    }
}
