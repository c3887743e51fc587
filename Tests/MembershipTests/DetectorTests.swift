import MailValues
import Testing

@testable import Membership

@Suite struct DetectorTests {
    @Test("nobody who answers is ever suspected")
    func staysCalm() {
        var bench = Bench(of: 4)
        #expect(bench.run(until: 60_000, answering: [2, 3, 4]).changes == [])
        #expect(bench.detector.health == 0)
    }

    @Test("one that never answers is suspected after two waits, and dead not before four seconds of silence")
    func silenceKills() {
        var bench = Bench(of: 2)
        var deaths: [Int64] = []
        for end in stride(from: Int64(100), through: 10_000, by: 100) {
            if bench.run(until: end).changes.contains("2 suspect dead") { deaths.append(end) }
        }
        #expect(deaths.count == 1 && deaths[0] >= 4_000 && deaths[0] <= 6_000)
    }

    @Test("whoever hears that it is suspected contradicts with a higher number, and tells")
    func refutes() {
        var bench = Bench(of: 4)
        let actions = bench.suspect(1)
        #expect(bench.detector.refutation == 1)
        let told = Claim(node: node(1), incarnation: 1, refutation: 1, state: .alive)
        let messages = [2, 3, 4].flatMap { actions.sent(to: $0) }
        #expect(messages.contains(.rumours([told])))
        #expect(bench.detector.health == 1)
    }

    @Test("more accusers make a suspicion shorter, never shorter than its shortest")
    func confirmations() {
        var bench = Bench(of: 6)
        _ = bench.suspect(2, accuser: 3)
        let alone = bench.detector.members[0].suspicion!.timeout
        _ = bench.suspect(2, accuser: 3)
        #expect(bench.detector.members[0].suspicion!.timeout == alone)
        _ = bench.suspect(2, accuser: 4)
        _ = bench.suspect(2, accuser: 5)
        _ = bench.suspect(2, accuser: 6)
        #expect(alone == bench.detector.settings.suspicionLongest)
        #expect(bench.detector.members[0].suspicion!.timeout == bench.detector.settings.suspicionShortest)
    }

    @Test("a refused connection kills after one second, unless a helper reaches the member")
    func refusals() {
        var bench = Bench(of: 4)
        bench.now = at(100)
        let asked = bench.handle(.linkRefused(node(2)))
        let asks = [3, 4].flatMap { asked.sent(to: $0) }
        #expect(asks.count == 2)
        #expect(bench.run(until: 1_050, answering: [3, 4]).changes == [])
        #expect(bench.run(until: 1_150, answering: [3, 4]).changes == ["2 alive dead"])

        bench = Bench(of: 4)
        bench.now = at(100)
        let again = bench.handle(.linkRefused(node(2)))
        guard case .ask(let number, let target, _)? = again.sent(to: 3).first else {
            Issue.record("no helper was asked")
            return
        }
        _ = bench.hear(.relayedAck(number: number, target: target, claims: []), from: 3)
        #expect(bench.run(until: 1_200, answering: [3, 4]).changes == [])
    }

    @Test("a process that is back within the second is not dead")
    func refusalThenUp() {
        var bench = Bench(of: 3)
        _ = bench.handle(.linkRefused(node(2)))
        bench.now = at(600)
        _ = bench.handle(.linkUp(node(2)))
        #expect(bench.run(until: 2_000, answering: [2, 3]).changes == [])
    }

    @Test("a frame from a dead member is answered with its state, and its refutation brings it back")
    func deadAreTold() {
        var bench = Bench(of: 3)
        bench.now = at(5_000)
        _ = bench.handle(.tick)
        let dead = Claim(node: node(2), incarnation: 1, state: .dead)
        #expect(bench.hear(.rumours([dead]), from: 3).changes == ["2 alive dead"])
        bench.now = at(9_000)
        let answer = bench.hear(.rumours([]), from: 2)
        #expect(
            answer.sent(to: 2).contains(
                .rumours([Claim(node: node(2), incarnation: 1, state: .dead, accuser: node(3))]))
                || answer.sent(to: 2).count == 1)
        #expect(bench.hear(.rumours([]), from: 2, refutation: 1).changes == ["2 dead alive"])
    }

    @Test("nobody dies by hearsay whom we hear ourselves")
    func hearsay() {
        var bench = Bench(of: 3)
        bench.now = at(1_000)
        _ = bench.hear(.rumours([]), from: 2)
        let dead = Claim(node: node(2), incarnation: 1, state: .dead)
        #expect(bench.hear(.rumours([dead]), from: 3).changes == ["2 alive suspect"])
    }

    @Test("each second one dead member is asked, for ever")
    func deadAreProbed() {
        var bench = Bench(of: 3)
        bench.now = at(5_000)
        _ = bench.hear(.rumours([Claim(node: node(2), incarnation: 1, state: .dead)]), from: 3)
        let sent = bench.run(until: 65_000, answering: [3]).sent(to: 2)
        #expect((58...62).contains(sent.count))
    }

    @Test("after a stall of our own nobody is blamed for it")
    func ownStall() {
        for omitted in [false, true] {
            var settings = DetectorSettings()
            if omitted { settings.omitted = [.ownStallIsForgiven] }
            var bench = Bench(of: 2, settings: settings)
            _ = bench.run(until: 100)  // a probe is on its way
            _ = bench.suspect(2, accuser: 1)
            bench.now = at(20_000)
            let actions = bench.handle(.tick) + bench.handle(.tick) + bench.handle(.tick)
            #expect(actions.changes.contains("2 alive dead") == false)
            #expect((bench.detector.health > 0) == !omitted || omitted)
        }
    }

    @Test("parked members are left alone until their time is over")
    func parked() {
        var bench = Bench(of: 2)
        let away = Claim(
            node: node(2), incarnation: 1, refutation: 1, state: .parked, remaining: .seconds(120))
        #expect(bench.hear(.rumours([away]), from: 2).changes == ["2 alive parked"])
        #expect(bench.run(until: 119_000).changes == [])
        #expect(bench.run(until: 130_000).changes == ["2 parked suspect", "2 suspect dead"])
        bench.now = at(140_000)
        #expect(bench.hear(.rumours([]), from: 2, incarnation: 2, nonce: 9).changes == ["2 dead alive"])
    }

    @Test("what a node declares is told to all that are there, and outweighs what was said before")
    func declares() {
        var bench = Bench(of: 3)
        let actions = bench.handle(.declare(.draining, within: nil))
        #expect(actions.changes == ["1 alive draining"])
        #expect(actions.sent(to: 2).count == 1 && actions.sent(to: 3).count == 1)
        #expect(bench.handle(.declare(.alive, within: nil)).changes == ["1 draining alive"])
        #expect(bench.detector.refutation == 2)
    }

    @Test("who had left before this node was started has left still, and others hear so")
    func recalls() {
        var bench = Bench(of: 3)
        let gone = Claim(node: node(2), incarnation: 1, refutation: 2, state: .left)
        var actions = bench.handle(.recalled([gone]))
        actions += bench.run(until: 60_000, answering: [3])
        #expect(actions.changes == ["2 alive left"])
        let told = actions.sent(to: 3).contains { message in
            switch message {
            case .probe(_, _, let claims), .rumours(let claims): claims.contains(gone)
            default: false
            }
        }
        #expect(told)
        #expect(bench.hear(.rumours([]), from: 2, incarnation: 2, nonce: 9).changes == ["2 left alive"])
        #expect(bench.handle(.recalled([gone])).changes == [])
    }

    @Test("who is no longer admitted is neither asked nor heard")
    func evicted() {
        var bench = Bench(of: 3)
        _ = bench.handle(.admitted([node(1): 1, node(3): 1]))
        #expect(bench.hear(.probe(number: 1, view: 0, claims: []), from: 2) == [])
        #expect(bench.run(until: 10_000, answering: [3]).sent(to: 2) == [])
        #expect(bench.detector.state(of: node(2)) == nil)
    }

    @Test("every state meets every event, and nothing but the rules moves it")
    func everyPair() {
        let messages: [ProbeMessage] = [
            .probe(number: 1, view: 1, claims: []), .ack(number: 1, view: 1, claims: []),
            .ask(number: 1, target: node(3), claims: []), .relayedAck(number: 1, target: node(3), claims: []),
            .nack(number: 1, target: node(3), claims: []), .rumours([]), .sync([]), .askLastSeen,
            .lastSeen(LastSeen(incarnation: 1, nonce: 1, refutation: 0, state: .alive, heardAgo: .zero)),
            .cloned(nonce: 77),
        ]
        for state in MemberState.allCases {
            for said in MemberState.allCases {
                for refutation in [UInt32(0), 1, 2] {
                    var bench = Bench(of: 4)
                    bench.now = at(4_000)
                    bench.tell(Claim(node: node(2), incarnation: 1, refutation: 1, state: state))
                    let before = bench.detector.state(of: node(2))
                    #expect(before == state)
                    bench.now = at(8_000)
                    let claim = Claim(node: node(2), incarnation: 1, refutation: refutation, state: said)
                    bench.tell(claim)
                    let wins = refutation == 2 || refutation == 1 && said > state
                    #expect(bench.detector.state(of: node(2)) == (wins ? said : state), "\(state) \(claim)")
                }
            }
            for message in messages {
                var bench = Bench(of: 4)
                bench.now = at(4_000)
                bench.tell(Claim(node: node(2), incarnation: 1, refutation: 1, state: state))
                // The member itself, with an older word: it is answered, and its state stands.
                _ = bench.hear(message, from: 2)
                #expect(bench.detector.state(of: node(2)) == state, "\(state) \(message)")
                // And with a newer one: it is what it says.
                _ = bench.hear(message, from: 2, refutation: 2)
                let heard = message != .askLastSeen
                #expect(bench.detector.state(of: node(2)) == (heard ? .alive : state), "\(state) \(message)")
            }
            for event in [Detector.Event.linkUp(node(2)), .linkRefused(node(2)), .tick] {
                var bench = Bench(of: 4)
                bench.now = at(4_000)
                bench.tell(Claim(node: node(2), incarnation: 1, refutation: 1, state: state))
                _ = bench.handle(event)
                #expect(bench.detector.state(of: node(2)) == state)
            }
        }
    }
}
