import Convergence
import Filtering
import Intake
import MailValues
import Membership
import Reputation
import Testing

@testable import RelayNode

@Suite("What a node knows of hosts and accounts")
struct KnownBlocksTests {
    typealias World = KnowledgeFixture

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let world: @Sendable (World) -> Void
        let opinion: GateOpinion

        init(
            _ name: String, _ opinion: GateOpinion,
            _ world: @escaping @Sendable (World) -> Void
        ) {
            testDescription = name
            self.opinion = opinion
            self.world = world
        }
    }

    @Test(
        "one other node slows a host down, two refuse it, the operator does so alone and releases it",
        arguments: [
            Case("nobody says anything", .nothing) { _ in },
            Case("one other node", GateOpinion(.slowDown, .word)) { $0.hearBlock(from: 2) },
            Case("one other node, again and again", GateOpinion(.slowDown, .word)) {
                for _ in 0..<50 { $0.hearBlock(from: 2) }
            },
            Case("two other nodes", GateOpinion(.refuse, .agreed)) { $0.hearBlock(from: 2, 3) },
            Case("two, of whom one takes it back", GateOpinion(.slowDown, .word)) {
                $0.hearBlock(from: 2, 3)
                $0.withdraw(BlockFact.self, about: World.network, by: 3)
            },
            Case("two, who are evicted", .nothing) {
                $0.hearBlock(from: 2, 3)
                $0.knowledge.apply([.forgotten(World.node(2)), .forgotten(World.node(3))])
            },
            Case("the operator alone", GateOpinion(.refuse, .order)) { $0.block() },
            Case("the operator, of the /16 around it", GateOpinion(.refuse, .order)) {
                $0.block(.network(Network("198.51.0.0/16")!))
            },
            Case("an order and its lifting", .nothing) {
                $0.block(number: 1)
                $0.block(number: 2, isLifted: true)
            },
            Case("a lifting, and the older order after it", .nothing) {
                $0.block(number: 2, isLifted: true)
                $0.block(number: 1)
            },
            Case("five nodes, and the operator releases it", .nothing) {
                $0.hearBlock(from: 2, 3, 4, 5, 6)
                $0.block(number: 1, isLifted: true)
            },
            Case("a blocked network, and this host released", .nothing) {
                $0.block(.network(Network("198.51.100.0/24")!), number: 1)
                $0.block(number: 2, isLifted: true)
            },
            Case("a neighbour", .nothing) { $0.block(.network(Network("198.51.100.10")!)) },
            Case("an order that is over", .nothing) {
                $0.block(expires: $0.now + .seconds(60))
                $0.advance(.seconds(61))
            },
            Case("two, whose words the operator took back", .nothing) {
                $0.hearBlock(from: 2, 3)
                $0.revoke(.origin(World.node(2)), number: 1)
                $0.revoke(.origin(World.node(3)), number: 2)
            },
            Case("one that was taken back speaks on", GateOpinion(.slowDown, .word)) {
                $0.revoke(.origin(World.node(2)), number: 1)
                $0.hearBlock(from: 2, 3)
            },
            Case("a revocation that is over", GateOpinion(.slowDown, .word)) {
                $0.revoke(.origin(World.node(2)), number: 1, expires: $0.now + .seconds(60))
                $0.advance(.seconds(61))
                $0.hearBlock(from: 2)
            },
        ])
    func hosts(_ sample: Case) {
        let world = World()
        sample.world(world)
        #expect(world.knowledge.opinion(of: World.outside) == sample.opinion)
    }

    @Test("a protected network is left alone, whatever nodes and operators say, and the list tells so")
    func protected() {
        let world = World(protected: [Network("198.51.100.0/28")!])
        world.hearBlock(from: 2, 3)
        world.block()
        #expect(world.knowledge.opinion(of: World.outside) == .nothing)
        #expect(
            world.knowledge.blocks().map(\.protection) == [.wholly([Network("198.51.100.0/28")!])])
        #expect(world.knowledge.blocks().map(\.consequence) == [Standing.Consequence.none])
    }

    @Test(
        "what is protected of a network, and whether all of it is",
        arguments: [
            ("198.51.100.9", Protection.wholly([Network("198.51.100.0/28")!])),
            ("198.51.100.0/28", .wholly([Network("198.51.100.0/28")!])),
            ("198.51.100.0/24", .partly([Network("198.51.100.0/28")!])),
            ("198.51.100.16/28", .none), ("2001:db8::/32", .none),
        ])
    func protection(_ network: String, _ expected: Protection) {
        let world = World(protected: [Network("198.51.100.0/28")!])
        #expect(world.knowledge.protection(of: .network(Network(network)!)) == expected)
        #expect(world.knowledge.protection(of: .account("anna")) == .none)
    }

    @Test("of a blocked network that is protected in part the rest is refused, and the list tells so")
    func partlyProtected() {
        let world = World(protected: [Network("198.51.100.9")!])
        world.block(.network(Network("198.51.100.0/24")!))
        #expect(world.knowledge.opinion(of: IPAddress("198.51.100.9")!) == .nothing)
        #expect(world.knowledge.opinion(of: IPAddress("198.51.100.8")!).consequence == .refuse)
        #expect(world.knowledge.blocks().map(\.consequence) == [.refuse])
    }

    @Test("a node that does not follow others goes by its own evidence and by orders")
    func independent() {
        let world = World(follows: false)
        world.hearBlock(from: 2, 3)
        #expect(world.knowledge.opinion(of: World.outside) == .nothing)
        world.block()
        #expect(world.knowledge.opinion(of: World.outside).consequence == .refuse)
    }

    @Test("accounts are blocked by name")
    func accounts() {
        let world = World()
        world.block(.account("bob"))
        #expect(world.knowledge.opinion(ofAccount: "bob") == GateOpinion(.refuse, .order))
        #expect(world.knowledge.opinion(ofAccount: "anna") == .nothing)
    }

    private func sender(_ client: IPAddress = World.outside, account: String? = nil) -> GateSender {
        GateSender(client: client, account: account, listener: "mx", session: 7)
    }

    @Test("a host that asks to relay again and again is blocked by our own evidence, and the others hear why")
    func ownEvidence() {
        let world = World()
        for _ in 0..<20 { world.knowledge.count(.refusedRelay, 1, by: sender()) }
        #expect(world.knowledge.opinion(of: World.outside) == GateOpinion(.refuse, .own))
        #expect(world.ear.said.map(\.kind) == [BlockFact.description.kind])
        #expect(world.ear.said.map(\.subject) == [World.network.octets])
        #expect(world.knowledge.block(World.network)?.evidence == ["session 7 at mx"])
        #expect(
            world.knowledge.dueFacts().contains { $0.subject == .network(Network("198.51.100.9")!) })
        // Its neighbourhood is slowed down at most.
        #expect(world.knowledge.opinion(of: IPAddress("198.51.100.77")!).consequence <= .slowDown)
    }

    @Test("our own block ends by itself, and good mail beside a few slips never brings one")
    func ends() {
        let world = World()
        for _ in 0..<20 { world.knowledge.count(.refusedRelay, 1, by: sender()) }
        world.advance(.seconds(8 * 24 * 3600))
        #expect(world.knowledge.opinion(of: World.outside) == .nothing)
        let honest = IPAddress("203.0.113.4")!
        for _ in 0..<200 {
            world.knowledge.count(.good, 10, by: sender(honest))
            world.knowledge.count(.unknownRecipient, 1, by: sender(honest))
        }
        #expect(world.knowledge.opinion(of: honest) == .nothing)
    }

    @Test("failed logins count against who tries, and never against the account")
    func logins() {
        let world = World()
        for _ in 0..<500 { world.knowledge.count(.failedLogin, 1, by: sender(account: "bob")) }
        #expect(world.knowledge.opinion(ofAccount: "bob") == .nothing)
        #expect(world.knowledge.opinion(of: World.outside).consequence == .refuse)
    }

    @Test("a protected client is not counted")
    func uncounted() {
        let world = World(protected: [Network("198.51.100.0/24")!])
        for _ in 0..<100 { world.knowledge.count(.refusedRelay, 1, by: sender()) }
        #expect(world.knowledge.reputation(of: .network(Network("198.51.100.9")!)).own == nil)
        #expect(world.ear.said.isEmpty)
    }

    @Test("one liar among five slows a host down at most, whatever figures it tells; two can have it refused")
    func poison() {
        let world = World()
        let subject = ReputationSubject.network(Network("198.51.100.9")!)
        world.hear(ReputationFact(counters: Counters([.trap: 1e9, .virus: 1e9])), about: subject, from: 2)
        world.hearBlock(from: 2)
        #expect(world.knowledge.opinion(of: World.outside).consequence == .slowDown)
        world.hear(ReputationFact(counters: Counters([.trap: 1e9])), about: subject, from: 3)
        #expect(world.knowledge.opinion(of: World.outside) == GateOpinion(.refuse, .reputation))
        #expect(world.knowledge.reputation(of: subject).words.map(\.origin).count == 2)
        world.revoke(.origin(World.node(2)), number: 1)
        world.revoke(.origin(World.node(3)), number: 2)
        #expect(world.knowledge.opinion(of: World.outside) == .nothing)
    }

    @Test("the edition changes with blocks, orders and settings, and not with what is counted")
    func editions() {
        let world = World()
        var last = world.knowledge.edition
        func isNew() -> Bool {
            defer { last = world.knowledge.edition }
            return last != world.knowledge.edition
        }
        world.knowledge.count(.good, 1, by: sender())
        #expect(!isNew())
        world.hearBlock(from: 2)
        #expect(isNew())
        world.block(expires: world.now + .seconds(5))
        #expect(isNew())
        world.advance(.seconds(1))
        #expect(!isNew())
        world.advance(.seconds(5))
        #expect(isNew())
    }
}

@Suite("What a node knows of campaigns")
struct KnownVerdictsTests {
    typealias World = KnowledgeFixture

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let decision: VerdictDecision
        let world: @Sendable (World) -> Void

        init(_ name: String, _ decision: VerdictDecision, _ world: @escaping @Sendable (World) -> Void) {
            testDescription = name
            self.decision = decision
            self.world = world
        }
    }

    @Test(
        "one other node's word holds, two act, an order acts alone, and a revocation ends it",
        arguments: [
            Case("nobody says anything", .none) { _ in },
            Case("one other node", .hold) { $0.hearVerdict(from: 2) },
            Case("one other node, again and again", .hold) { for _ in 0..<9 { $0.hearVerdict(from: 2) } },
            Case("two other nodes", .act) { $0.hearVerdict(from: 2, 3) },
            Case("this node", .act) {
                $0.knowledge.observe(
                    World.verdict(at: $0.now), about: World.fingerprint, lifetime: .seconds(60))
            },
            Case("the operator", .act) { $0.condemn() },
            Case("the operator, who lifted it", .none) {
                $0.condemn()
                $0.condemn(number: 2, isLifted: true)
            },
            Case("two, and a revocation", .none) {
                $0.hearVerdict(from: 2, 3)
                $0.revoke(.fingerprint(World.fingerprint))
            },
            Case("a revocation, and new words after it", .none) {
                $0.revoke(.fingerprint(World.fingerprint))
                $0.hearVerdict(from: 2, 3)
            },
            Case("a revocation of an order", .none) {
                $0.condemn(number: 1)
                $0.revoke(.fingerprint(World.fingerprint), number: 2)
            },
            Case("condemned again after its revocation", .act) {
                $0.revoke(.fingerprint(World.fingerprint), number: 2)
                $0.condemn(number: 3)
            },
            Case("two, of whom one was taken back", .hold) {
                $0.hearVerdict(from: 2, 3)
                $0.revoke(.origin(World.node(3)))
            },
            Case("a revocation that is over, of what was said before it", .none) {
                $0.hearVerdict(from: 2)
                $0.revoke(
                    .fingerprint(World.fingerprint), expires: $0.now + .seconds(60),
                    covered: [World.node(2): Version(incarnation: 1, counter: 1)])
                $0.advance(.seconds(61))
            },
            Case("a revocation that is over, and a word after it", .hold) {
                $0.hearVerdict(from: 2)
                $0.revoke(
                    .fingerprint(World.fingerprint), expires: $0.now + .seconds(60),
                    covered: [World.node(2): Version(incarnation: 1, counter: 1)])
                $0.hearVerdict(from: 2)
                $0.advance(.seconds(61))
            },
            Case("a revocation that was lifted", .hold) {
                $0.hearVerdict(from: 2)
                $0.revoke(.fingerprint(World.fingerprint), number: 1)
                $0.revoke(.fingerprint(World.fingerprint), number: 2, isLifted: true)
            },
        ])
    func decides(_ sample: Case) {
        let world = World()
        sample.world(world)
        #expect(world.knowledge.opinion(of: [World.fingerprint]).decision == sample.decision)
        #expect(world.knowledge.verdict(World.fingerprint)?.decision ?? .none == sample.decision)
    }

    @Test("whoever watches hears of each fingerprint that somebody speaks of or takes back")
    func watched() {
        let world = World()
        world.hearVerdict(from: 2)
        #expect(world.takeTouched() == [World.fingerprint])
        world.revoke(.origin(World.node(2)))
        #expect(world.takeTouched() == [World.fingerprint])
        world.revoke(.origin(World.node(2)))
        #expect(world.takeTouched() == [], "known already")
        world.withdraw(VerdictFact.self, about: World.fingerprint, by: 2)
        #expect(world.takeTouched() == [World.fingerprint])
    }

    @Test("a node that begins anew has a minute to say it again before what it held is looked at")
    func forgotten() {
        let world = World()
        world.hearVerdict(from: 2)
        _ = world.takeTouched()
        world.knowledge.apply([.forgotten(World.node(2))])
        #expect(world.takeTouched() == [])
        world.advance(.seconds(59))
        #expect(world.takeTouched() == [])
        world.advance(.seconds(2))
        #expect(world.takeTouched() == [World.fingerprint])
    }

    @Test("a listener's rule says what follows: one other node never rejects, an order is held by note too")
    func rules() {
        let word = VerdictOpinion(.hold, World.fingerprint, isOrder: false, reason: "")
        let agreed = VerdictOpinion(.act, World.fingerprint, isOrder: false, reason: "")
        let order = VerdictOpinion(.act, World.fingerprint, isOrder: true, reason: "")
        #expect(VerdictRule.allCases.map { $0.deed(about: .nothing) } == [.take, .take, .take, .take])
        #expect(VerdictRule.allCases.map { $0.deed(about: word) } == [.take, .note, .hold, .hold])
        #expect(VerdictRule.allCases.map { $0.deed(about: agreed) } == [.take, .note, .hold, .reject])
        #expect(VerdictRule.allCases.map { $0.deed(about: order) } == [.take, .hold, .hold, .reject])
        let ordered = GateOpinion(.refuse, .order)
        let counted = GateOpinion(.refuse, .reputation)
        #expect(GateRule.allCases.map { $0.consequence(of: ordered) } == [.none, .refuse, .refuse, .refuse])
        #expect(GateRule.allCases.map { $0.consequence(of: counted) } == [.none, .none, .slowDown, .refuse])
    }
}
