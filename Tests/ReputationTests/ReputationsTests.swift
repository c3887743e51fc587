import Convergence
import MailValues
import Reputation
import Testing

private func node(_ number: UInt8) -> NodeID { NodeID(octets: [UInt8](repeating: number, count: 32))! }
private let day: Int64 = 24 * 3_600_000
private func at(_ milliseconds: Int64) -> Uptime { Uptime(milliseconds: milliseconds) }

@Suite("Counters")
struct CountersTests {
    @Test(
        "what is counted halves in a day, in two steps as in one",
        arguments: [
            (0, 1), (day, 0.5), (2 * day, 0.25), (10 * day, 1.0 / 1024), (day / 2, 0.707_106_8),
            (200 * day, 0),
        ]
            as [(Int64, Float)])
    func halves(_ elapsed: Int64, _ factor: Float) {
        #expect(abs(Decay.factor(milliseconds: elapsed) - factor) < 1e-6)
        let twice =
            Decay.factor(milliseconds: elapsed / 3) * Decay.factor(milliseconds: elapsed - elapsed / 3)
        #expect(abs(twice - factor) < 2e-6)
    }

    @Test("time never goes back")
    func never() { #expect(Decay.factor(milliseconds: -5) == 1) }

    @Test("counters need no more alignment than an asynchronous function's frame has")
    func alignment() {
        #expect(MemoryLayout<Counters>.alignment <= 16)
        #expect(MemoryLayout<Counters>.size == 32)
    }
}

@Suite("Observations")
struct ObservationsTests {
    private let subject = ReputationSubject.domain("example.org")

    @Test("one stray message is told to nobody; what adds up is told, and again only when it has changed")
    func tells() {
        var seen = Observations()
        seen.count(.good, of: subject, now: at(0))
        #expect(seen.due(now: at(0)).isEmpty)
        seen.count(.spam, of: subject, now: at(0))
        #expect(seen.due(now: at(0)).map(\.fact.counters[.spam]) == [1])
        for _ in 0..<100 { seen.count(.spam, of: subject, now: at(1_000)) }
        #expect(seen.due(now: at(1_000)).isEmpty, "not so soon after the last")
        #expect(seen.due(now: at(10_000)).count == 1)
        seen.count(.spam, of: subject, now: at(60_000))
        #expect(seen.due(now: at(60_000)).isEmpty, "one of a hundred is no news")
        seen.count(.trap, of: subject, now: at(60_000))
        #expect(seen.due(now: at(60_000)).count == 1, "a trap is")
    }

    @Test("what has not faded is told again before the others forget it")
    func again() {
        var seen = Observations()
        seen.count(.spam, of: subject, by: 100, now: at(0))
        #expect(seen.due(now: at(0)).count == 1)
        #expect(seen.due(now: at(day)).isEmpty)
        #expect(seen.due(now: at(2 * day)).count == 1)
    }

    @Test("a flood of new names takes bounded room and leaves what weighs")
    func bounded() {
        var settings = Observations.Settings()
        settings.subjectCount = 100
        var seen = Observations(settings: settings)
        seen.count(.spam, of: subject, by: 50, now: at(0))
        for number in 0..<10_000 { seen.count(.junk, of: .domain("n\(number).example"), now: at(1)) }
        #expect(seen.count == 100)
        #expect(seen.counters(of: subject, now: at(1)).map { $0[.spam] > 49 } == true)
    }
}

@Suite("Reputation fact")
struct ReputationFactTests {
    @Test("its octets lead back to it; numbers that are none are refused")
    func coding() throws {
        let fact = ReputationFact(counters: Counters([.good: 1.5, .failedLogin: 3, .spam: 1e9]))
        #expect(ReputationFact(octets: fact.octets) == fact)
        #expect(fact.octets.count <= ReputationFact.description.bounds.valueOctets)
        for bad: Float in [-1, .nan, .infinity, 2e9] {
            var writer = FieldWriter()
            writer.float(1, bad)
            #expect(ReputationFact(octets: writer.octets) == nil)
        }
    }

    @Test("the law of its merge: in any order the same, and one liar of four adds no more than a third")
    func law() {
        let said = (UInt8(1)...4).map { number in
            Said(
                origin: node(number), version: Version(incarnation: 1, counter: 1),
                value: ReputationFact(counters: Counters([.spam: number == 4 ? 1e9 : Float(number) * 10])),
                stamp: Timestamp(milliseconds: 0))
        }
        let truth = ReputationFact.merge(said)
        for turn in 0..<4 {
            #expect(ReputationFact.merge(Array(said[turn...] + said[..<turn])) == truth)
        }
        let without = ReputationFact.merge(Array(said.dropLast()))
        #expect(truth[.spam] - without[.spam] <= truth[.spam] / 3 * 1.001)
    }
}

@Suite("Standing")
struct StandingTests {
    private let address = IPAddress("192.0.2.7")!
    private var subject: ReputationSubject { .network(Network("192.0.2.7/32")!) }

    private func said(_ counters: Counters, by origin: UInt8, age: Int64 = 0) -> FactChange {
        .said(
            node(origin),
            FactRecord(
                key: ReputationFact.key(subject), counter: 1,
                value: ReputationFact(counters: counters).octets,
                lifetime: nil, stamp: Timestamp(milliseconds: 0)), age: age)
    }

    @Test("a stranger has none, and a few messages make none")
    func strangers() {
        var reputations = Reputations(node: node(1))
        #expect(reputations.standing(of: address, now: at(0)) == .stranger)
        reputations.count(.spam, from: address, now: at(0))
        #expect(reputations.standing(of: address, now: at(0)).consequence == .none)
    }

    @Test(
        "by one other node's word alone nobody is refused, whatever it says",
        arguments: [
            ([], 0, .none), ([2], 0, .slowDown), ([2, 3], 0, .refuse), ([2, 3, 4], 0, .refuse),
            ([], 100, .refuse), ([2], 100, .refuse), ([], 3, .none), ([2], 3, .slowDown), ([2], 5, .refuse),
        ] as [([UInt8], Float, Standing.Consequence)])
    func poison(_ liars: [UInt8], _ own: Float, _ consequence: Standing.Consequence) {
        var reputations = Reputations(node: node(1))
        if own > 0 { reputations.count(.spam, of: subject, by: own, now: at(0)) }
        reputations.apply(liars.map { said(Counters([.trap: 1e6]), by: $0) }, now: at(0))
        #expect(reputations.standing(of: address, now: at(0)).consequence == consequence)
    }

    @Test("one liar among honest ones neither condemns who is good nor acquits who is bad")
    func liar() {
        var good = Reputations(node: node(1))
        good.apply((UInt8(2)...4).map { said(Counters([.good: 100]), by: $0) }, now: at(0))
        good.apply([said(Counters([.trap: 1e9]), by: 5)], now: at(0))
        #expect(good.standing(of: address, now: at(0)).score > 0)
        var bad = Reputations(node: node(1))
        bad.apply((UInt8(2)...4).map { said(Counters([.spam: 100]), by: $0) }, now: at(0))
        bad.apply([said(Counters([.good: 1e9]), by: 5)], now: at(0))
        #expect(bad.standing(of: address, now: at(0)).score < -0.3)
    }

    @Test("what a node has seen itself nobody talks it out of")
    func praise() {
        var reputations = Reputations(node: node(1))
        reputations.count(.spam, of: subject, by: 100, now: at(0))
        reputations.apply([said(Counters([.good: 1e9]), by: 2)], now: at(0))
        #expect(reputations.standing(of: address, now: at(0)).consequence == .refuse)
    }

    @Test("what was said fades, its way included; what is withdrawn or forgotten counts no more")
    func fades() {
        var reputations = Reputations(node: node(1))
        reputations.apply([said(Counters([.spam: 100]), by: 2, age: day)], now: at(0))
        #expect(abs(reputations.merged(subject, now: at(0))[.spam] - 50) < 0.01)
        #expect(abs(reputations.merged(subject, now: at(day))[.spam] - 25) < 0.01)
        reputations.apply([said(Counters([.spam: 8]), by: 3)], now: at(day))
        #expect(abs(reputations.merged(subject, now: at(day))[.spam] - 33) < 0.01)
        reputations.apply([.forgotten(node(2))], now: at(day))
        #expect(abs(reputations.merged(subject, now: at(day))[.spam] - 8) < 0.01)
        reputations.apply([.withdrawn(node(3), ReputationFact.key(subject))], now: at(day))
        #expect(reputations.count == 0)
    }

    @Test("a bad neighbourhood slows down and never refuses; a host known by itself is judged by itself")
    func neighbourhood() {
        var reputations = Reputations(node: node(1))
        for host in UInt32(1)...50 { reputations.count(.spam, from: .v4(0xC000_0200 | host), now: at(0)) }
        let stranger = IPAddress("192.0.2.99")!
        #expect(reputations.standing(of: stranger, now: at(0)).consequence == .slowDown)
        reputations.count(.good, of: .network(Network("192.0.2.99/32")!), by: 50, now: at(0))
        #expect(reputations.standing(of: stranger, now: at(0)).consequence == .none)
    }
}

@Suite("Blocks")
struct BlockTests {
    private struct Case: Sendable {
        var origins: [UInt8]
        var ordered = Ordered.nothing
        var isProtected = false
        var follows = true
        var decision: BlockDecision
    }

    @Test(
        "who may be refused: by our own evidence, by two others', by order; protected networks never",
        arguments: [
            Case(origins: [], decision: .none), Case(origins: [1], decision: .refuse),
            Case(origins: [2], decision: .slowDown), Case(origins: [2, 3], decision: .refuse),
            Case(origins: [2, 3, 4], follows: false, decision: .none),
            Case(origins: [1, 2], follows: false, decision: .refuse),
            Case(origins: [], ordered: .against, decision: .refuse),
            Case(origins: [], ordered: .against, follows: false, decision: .refuse),
            Case(origins: [1, 2, 3], ordered: .for, decision: .none),
            Case(origins: [1, 2, 3], isProtected: true, decision: .none),
            Case(origins: [1, 2, 3], ordered: .against, isProtected: true, decision: .none),
        ])
    private func decides(_ sample: Case) {
        let view = BlockFact.merge(sample.origins.map { said(by: $0) })
        #expect(
            BlockDecision.decide(
                view, at: node(1), ordered: sample.ordered, isProtected: sample.isProtected,
                follows: sample.follows) == sample.decision)
    }

    private func said(by origin: UInt8, since: Int64 = 5) -> Said<BlockFact> {
        Said(
            origin: node(origin), version: Version(incarnation: 1, counter: 1),
            value: BlockFact(evidence: ["e\(origin)"], since: Timestamp(milliseconds: since)),
            stamp: Timestamp(milliseconds: 10))
    }

    @Test("the law of its merge: in any order the same; the earliest evidence counts")
    func law() {
        let said = [said(by: 3, since: 9), said(by: 2, since: 7), said(by: 4, since: 100)]
        let truth = BlockFact.merge(said)
        #expect(truth.origins == [node(2), node(3), node(4)] && truth.evidence == ["e2", "e3", "e4"])
        #expect(truth.since == Timestamp(milliseconds: 7))
        #expect(BlockFact.merge(said.reversed()) == truth)
    }

    @Test("its octets lead back to it, and nobody blocks the world by a fact")
    func coding() {
        let fact = BlockFact(evidence: ["a", "b"], since: Timestamp(milliseconds: 5))
        #expect(BlockFact(octets: fact.octets) == fact)
        let full = BlockFact(
            evidence: Array(repeating: String(repeating: "é", count: 99), count: 99),
            since: Timestamp(milliseconds: .max))
        #expect(full.octets.count <= BlockFact.description.bounds.valueOctets)
        #expect(BlockFact(octets: full.octets) != nil)
        for subject in [
            BlockSubject.network(Network("192.0.2.0/24")!), .network(Network("2001:db8::/32")!),
            .account("ada"),
        ] {
            #expect(BlockSubject(octets: subject.octets) == subject)
        }
        for network in ["0.0.0.0/0", "10.0.0.0/8", "::/0", "2000::/3"] {
            #expect(BlockSubject(octets: BlockSubject.network(Network(network)!).octets) == nil)
        }
    }
}
