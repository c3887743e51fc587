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
            Case(stored: 4, seen: [4, 6, 6], incarnation: 7, isOld: true),
            Case(stored: 4, seen: [6, 4, 4], incarnation: 7, isOld: false),
            Case(stored: 0, seen: [2, 2], incarnation: 3, isOld: true),
            Case(stored: 0, seen: [0, 0], incarnation: 1, isOld: false),
        ])
    func takesTheHighest(sample: Case) {
        var inquiry = StartInquiry(
            stored: sample.stored, others: [node(2), node(3), node(4), node(5)], now: at(0))
        #expect(inquiry.handle(.linkUp(node(2)), now: at(10)) == [.ask(node(2))])
        var actions: [StartInquiry.Action] = []
        for (index, incarnation) in sample.seen.enumerated() {
            #expect(actions == [])
            let answer = seen(incarnation, heardAgo: index == 0 ? nil : .seconds(60))
            actions = inquiry.handle(.answer(answer, from: node(index + 2)), now: at(20))
        }
        #expect(actions == [.start(incarnation: sample.incarnation, storeIsOld: sample.isOld)])
    }

    @Test("nobody waits for the answer of a member that has left, and it is heard all the same")
    func departed() {
        var settings = StartInquiry.Settings()
        settings.absent = [node(3)]
        for teller in [2, 3] {
            var inquiry = StartInquiry(
                stored: 4, others: [node(2), node(3)], settings: settings, now: at(0))
            #expect(
                inquiry.handle(.answer(seen(4, heardAgo: nil), from: node(teller)), now: at(20))
                    == [.start(incarnation: 5, storeIsOld: false)])
        }
    }

    @Test("without answers the store's word must do after a while")
    func patience() {
        var inquiry = StartInquiry(stored: 4, others: [node(2)], now: at(0))
        #expect(inquiry.handle(.tick, now: at(0)) == [])
        #expect(inquiry.handle(.tick, now: at(5_000)) == [.start(incarnation: 5, storeIsOld: false)])
    }

    @Test(
        "who reaches members and hears none of them does not begin: it may be a copy, and their answers go to the original"
    )
    func deaf() {
        var inquiry = StartInquiry(stored: 4, others: [node(2), node(3)], now: at(0))
        _ = inquiry.handle(.linkUp(node(2)), now: at(10))
        for second in Int64(1)...600 {
            #expect(inquiry.handle(.tick, now: at(second * 1_000)) == [.ask(node(2))])
        }
        #expect(inquiry.isDeaf)
        // All others are gone: then the store's word must do.
        _ = inquiry.handle(.linkDown(node(2)), now: at(600_500))
        #expect(!inquiry.isDeaf)
        #expect(
            inquiry.handle(.tick, now: at(601_000)) == [.start(incarnation: 5, storeIsOld: false)])
    }

    @Test("a copy that asks while the original speaks is told of to the original, which two must say")
    func copyAsks() {
        var bench = Bench(of: 3)
        var told: [[ProbeMessage]] = []
        for time in stride(from: Int64(1_000), through: 4_000, by: 500) {
            bench.now = at(time)
            _ = bench.hear(.rumours([]), from: 2)
            told.append(bench.hear(.askLastSeen, from: 2, nonce: 99).sent(to: 2))
        }
        #expect(told.first?.count == 1 && told.last?.contains(.cloned(nonce: 99)) == true)

        #expect(bench.hear(.cloned(nonce: 99), from: 2) == [])
        #expect(bench.hear(.cloned(nonce: 98), from: 2) == [])
        #expect(bench.hear(.cloned(nonce: 99), from: 3) == [.cloneSeen])
    }

    @Test("a restart that asks is no copy")
    func restartAsks() {
        var bench = Bench(of: 3)
        bench.now = at(1_000)
        _ = bench.hear(.rumours([]), from: 2)
        for time in stride(from: Int64(1_100), through: 4_000, by: 100) {
            bench.now = at(time)
            // A last frame of the old process was late.
            if time == 1_600 { _ = bench.hear(.rumours([]), from: 2) }
            #expect(bench.hear(.askLastSeen, from: 2, nonce: 99).sent(to: 2).count == 1)
        }
    }

    @Test("a restart that asks soon after a copy did is no copy")
    func restartAsksAfterCopy() {
        var bench = Bench(of: 3)
        for time in stride(from: Int64(1_000), through: 4_000, by: 500) {
            bench.now = at(time)
            _ = bench.hear(.rumours([]), from: 2)
            _ = bench.hear(.askLastSeen, from: 2, nonce: 99)
        }
        for (nonce, time) in [(98, 4_100), (97, 4_300), (97, 5_300)] as [(UInt64, Int64)] {
            bench.now = at(time)
            #expect(bench.hear(.askLastSeen, from: 2, nonce: nonce).sent(to: 2).count == 1)
        }
        // The copy is still known as one.
        bench.now = at(5_400)
        #expect(bench.hear(.askLastSeen, from: 2, nonce: 99).sent(to: 2).contains(.cloned(nonce: 99)))
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
        #expect(bench.hear(.lastSeen(seen(9, heardAgo: .seconds(60))), from: 2) == [])
        let actions = bench.hear(.lastSeen(seen(7, heardAgo: .seconds(60))), from: 3)
        #expect(actions.prefix(2) == [.persist(incarnation: 8), .storeIsOld(seen: 7)])
        #expect(bench.detector.incarnation == 8)
        #expect(bench.hear(.lastSeen(seen(9, heardAgo: .zero)), from: 2) == [])
        #expect(bench.hear(.lastSeen(seen(9, heardAgo: .zero)), from: 3) == [.cloneSeen])
        #expect(bench.detector.incarnation == 8)
    }
}
