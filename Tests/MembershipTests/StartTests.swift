import MailValues
import Testing

@testable import Membership

@Suite struct StartTests {
    func seen(_ incarnation: UInt64, heardAgo: Duration?, state: MemberState = .alive) -> LastSeen {
        LastSeen(incarnation: incarnation, nonce: 9, refutation: 0, state: state, heardAgo: heardAgo)
    }

    @Test("a node alone starts at once with the store's word")
    func alone() {
        var inquiry = StartInquiry(stored: 4, others: [], now: at(0))
        #expect(inquiry.handle(.tick, now: at(0)) == [.start(incarnation: 5, storeIsOld: false)])
    }

    struct Case: Sendable {
        let stored: UInt64
        let seen: [UInt64]
        let incarnation: UInt64
        let isOld: Bool
    }

    @Test(
        "the incarnation is one above what anybody saw",
        arguments: [
            Case(stored: 4, seen: [4, 3], incarnation: 5, isOld: false),
            Case(stored: 4, seen: [4, 6], incarnation: 7, isOld: true),
            Case(stored: 0, seen: [2, 2], incarnation: 3, isOld: true),
            Case(stored: 0, seen: [0, 0], incarnation: 1, isOld: false),
        ])
    func takesTheHighest(sample: Case) {
        var inquiry = StartInquiry(stored: sample.stored, others: [node(2), node(3), node(4)], now: at(0))
        #expect(inquiry.handle(.linkUp(node(2)), now: at(10)) == [.ask(node(2))])
        #expect(
            inquiry.handle(.answer(seen(sample.seen[0], heardAgo: nil), from: node(2)), now: at(20)) == [])
        #expect(
            inquiry.handle(.answer(seen(sample.seen[1], heardAgo: .seconds(60)), from: node(3)), now: at(20))
                == [.start(incarnation: sample.incarnation, storeIsOld: sample.isOld)])
    }

    @Test("without answers the store's word must do after a while")
    func patience() {
        var inquiry = StartInquiry(stored: 4, others: [node(2)], now: at(0))
        #expect(inquiry.handle(.tick, now: at(0)) == [])
        #expect(inquiry.handle(.tick, now: at(5_000)) == [.start(incarnation: 5, storeIsOld: false)])
    }

    @Test("a quick restart is told from a clone by asking again")
    func restartOrClone() {
        for isClone in [false, true] {
            var inquiry = StartInquiry(stored: 4, others: [node(2), node(3)], now: at(0))
            for peer in [2, 3] { _ = inquiry.handle(.linkUp(node(peer)), now: at(0)) }
            var actions: [StartInquiry.Action] = []
            for second in Int64(0)..<5 {
                let now = at(second * 1_000 + 100)
                let heardAgo: Duration = isClone ? .milliseconds(50) : .milliseconds(second * 1_000 + 400)
                for peer in [2, 3] {
                    actions += inquiry.handle(
                        .answer(seen(4, heardAgo: heardAgo), from: node(peer)), now: now)
                }
                actions += inquiry.handle(.tick, now: now)
            }
            let outcome = actions.filter { if case .ask = $0 { false } else { true } }
            #expect(outcome == (isClone ? [.stopCloned] : [.start(incarnation: 5, storeIsOld: false)]))
        }
    }

    @Test("one member that lies cannot keep a node from starting, nor stop it")
    func oneLiar() {
        var inquiry = StartInquiry(stored: 4, others: [node(2), node(3)], now: at(0))
        var actions: [StartInquiry.Action] = []
        for second in Int64(0)..<7 {
            let now = at(second * 1_000)
            actions += inquiry.handle(.answer(seen(4, heardAgo: .zero), from: node(2)), now: now)
            actions += inquiry.handle(.answer(seen(4, heardAgo: .seconds(90)), from: node(3)), now: now)
            actions += inquiry.handle(.tick, now: now)
        }
        #expect(
            actions.filter { if case .ask = $0 { false } else { true } }
                == [.start(incarnation: 5, storeIsOld: false)])

        var bench = Bench(of: 4)
        #expect(bench.hear(.cloned(nonce: 1), from: 2) == [])
        #expect(bench.hear(.cloned(nonce: 1), from: 2) == [])
        #expect(bench.hear(.cloned(nonce: 2), from: 3) == [])
        #expect(bench.hear(.cloned(nonce: 1), from: 3) == [.stopCloned])
    }

    @Test(
        "frames of an older start are no sign of life, and both alive for a while is a clone that is told to go"
    )
    func clones() {
        var bench = Bench(of: 3)
        _ = bench.hear(.rumours([]), from: 2, incarnation: 2, nonce: 20)
        var told: [ProbeMessage] = []
        for time in stride(from: Int64(500), through: 3_000, by: 500) {
            bench.now = at(time)
            told += bench.hear(.rumours([]), from: 2, incarnation: 1, nonce: 2).sent(to: 2)
            _ = bench.hear(.rumours([]), from: 2, incarnation: 2, nonce: 20)
        }
        #expect(told.contains(.cloned(nonce: 20)))
        #expect(!told.contains(.cloned(nonce: 2)))
    }

    @Test("a store that is older than what others saw is found out, and the next start counts above it")
    func oldStore() {
        var bench = Bench(of: 3)
        let actions = bench.hear(.lastSeen(seen(7, heardAgo: .seconds(60))), from: 2)
        #expect(actions.prefix(2) == [.persist(incarnation: 8), .storeIsOld(seen: 7)])
        #expect(bench.detector.incarnation == 8)
        #expect(bench.hear(.lastSeen(seen(9, heardAgo: .zero)), from: 2) == [.cloneSeen])
        #expect(bench.detector.incarnation == 8)
    }
}
