import Convergence
import MailValues
import Testing

@testable import Membership

/// One member was taken over, and says of the others whatever it likes.
@Suite struct LiarTests {
    /// What node 3 alone says of node 2.
    static let lies: [Claim] = [
        Claim(node: node(2), incarnation: 1, state: .dead),
        Claim(node: node(2), incarnation: 1, state: .left),
        Claim(node: node(2), incarnation: 1, state: .draining),
        Claim(node: node(2), incarnation: 1, state: .parked, remaining: .seconds(86_400)),
        Claim(node: node(2), incarnation: 1, refutation: 1, state: .left),
        Claim(node: node(2), incarnation: 1, refutation: 1, state: .dead),
        Claim(node: node(2), incarnation: 1, refutation: Claim.refutationHighest, state: .alive),
        Claim(node: node(2), incarnation: 2, state: .left),
        Claim(node: node(2), incarnation: 2, state: .alive),
        Claim(node: node(2), incarnation: 1 << 20, state: .dead),
        Claim(node: node(2), incarnation: Claim.incarnationHighest, state: .dead),
        Claim(
            node: node(2), incarnation: Claim.incarnationHighest, refutation: Claim.refutationHighest,
            state: .left),
    ]

    @Test("by one member's word another is doubted and asked, and nothing worse", arguments: lies, [3, 4, 5])
    func lonely(lie: Claim, count: Int) {
        var bench = Bench(of: count)
        bench.now = at(1_000)
        _ = bench.hear(.rumours([]), from: 2)
        bench.now = at(2_000)
        for _ in 0..<3 { _ = bench.hear(.sync([lie]), from: 3) }
        #expect([.alive, .suspect].contains(bench.detector.state(of: node(2))))
        #expect(bench.detector.incarnation(of: node(2)) == 1)
        // Whom it was said of answers as ever, and is heard.
        _ = bench.hear(.rumours([]), from: 2, refutation: 1)
        #expect(bench.detector.state(of: node(2)) == .alive)
        #expect(bench.detector.burden < 10)
    }

    @Test("what two members say is believed, up to what both vouch for")
    func two() {
        var bench = Bench(of: 5)
        bench.now = at(4_000)
        _ = bench.hear(
            .rumours([Claim(node: node(2), incarnation: 900_000, state: .dead)]), from: 3)
        let true2 = Claim(node: node(2), incarnation: 2, refutation: 1, state: .left)
        #expect(bench.hear(.rumours([true2]), from: 4).changes == ["2 alive left"])
        #expect(bench.detector.incarnation(of: node(2)) == 2)
    }

    @Test("numbers that nobody can have counted to are not believed, however many say them")
    func implausible() {
        var bench = Bench(of: 5)
        bench.now = at(4_000)
        for teller in 3...5 {
            _ = bench.hear(
                .rumours([Claim(node: node(2), incarnation: Claim.incarnationHighest, state: .dead)]),
                from: teller)
            _ = bench.hear(
                .lastSeen(
                    LastSeen(
                        incarnation: Claim.incarnationHighest, nonce: 7, refutation: 0, state: .dead,
                        heardAgo: nil)),
                from: teller)
        }
        #expect(bench.detector.incarnation(of: node(2)) == 1)
        #expect(bench.detector.incarnation == 1)
    }

    @Test("what a member signed proves its start, whoever brought it")
    func proven() {
        var bench = Bench(of: 3)
        _ = bench.handle(.proven(node(2), incarnation: 2))
        #expect(bench.detector.incarnation(of: node(2)) == 2 && bench.detector.state(of: node(2)) == .alive)
        _ = bench.handle(.proven(node(2), incarnation: 1))
        #expect(bench.detector.incarnation(of: node(2)) == 2)
    }

    @Test(
        "what is said of ourselves under a number that we never gave changes nothing, and our own goes up by one a time"
    )
    func ownNumber() {
        var bench = Bench(of: 4)
        for state in [MemberState.suspect, .dead, .left] {
            for refutation in [Claim.refutationHighest, 1 << 20, 1] {
                let lie = Claim(node: node(1), incarnation: 1, refutation: refutation, state: state)
                _ = bench.hear(.rumours([lie]), from: 3)
                #expect(bench.detector.refutation == 0)
            }
        }
        _ = bench.suspect(1)
        #expect(bench.detector.refutation == 1)
    }

    @Test("one member that says it saw a later start of ours neither holds our mail nor moves our number")
    func laterStart() {
        var bench = Bench(of: 4)
        for heardAgo in [nil, Duration.zero] {
            for incarnation in [UInt64(2), 1 << 19, Claim.incarnationHighest] {
                let seen = LastSeen(
                    incarnation: incarnation, nonce: 7, refutation: 0, state: .dead, heardAgo: heardAgo)
                #expect(bench.hear(.lastSeen(seen), from: 3) == [])
            }
        }
        #expect(bench.detector.incarnation == 1)

        var inquiry = StartInquiry(stored: 4, others: [node(2), node(3), node(4)], now: at(0))
        let lie = LastSeen(
            incarnation: Claim.incarnationHighest, nonce: 7, refutation: 0, state: .dead, heardAgo: nil)
        #expect(inquiry.handle(.answer(lie, from: node(3)), now: at(1)) == [])
        let seen = LastSeen(incarnation: 4, nonce: 7, refutation: 0, state: .dead, heardAgo: nil)
        #expect(inquiry.handle(.answer(seen, from: node(2)), now: at(1)) == [])
        #expect(
            inquiry.handle(.answer(seen, from: node(4)), now: at(1))
                == [.start(incarnation: 5, storeIsOld: false)])
    }
}
