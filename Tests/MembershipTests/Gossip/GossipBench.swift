import Convergence
import Cryptography
import MailValues

@testable import Membership

/// A fact for tests: urgent, a number about a name.
struct TestFact: Fact {
    var number: UInt64

    static let description = FactDescription(
        kind: FactKind(rawValue: 1000), name: "test", isUrgent: true, lifetimeLongest: .seconds(3600),
        bounds: FactBounds(keys: 100_000, octets: 1 << 24), isRevocable: true)

    static func octets(of subject: String) -> [UInt8] { Array(subject.utf8) }
    static func subject(_ octets: [UInt8]) -> String? { String(validating: octets, as: UTF8.self) }
    var octets: [UInt8] { Array("\(number)".utf8) }

    init(number: UInt64) { self.number = number }
    init?(octets: [UInt8]) {
        guard let number = UInt64(String(decoding: octets, as: UTF8.self)) else { return nil }
        self.number = number
    }

    static func merge(_ said: [Said<TestFact>]) -> UInt64 { said.map(\.value.number).max() ?? 0 }
}

/// Gossip machines with real keys on links that deliver at once, or not at all.
struct GossipBench {
    static let cluster = ClusterID(octets: [UInt8](repeating: 7, count: 16))!
    static let table = FactTable([TestFact.description, OrderFact.description])!

    let keys: [Ed25519PrivateKey]
    var machines: [Gossip]
    var dice: Dice
    var now: Int64 = 0
    /// Frames lost, of each thousand.
    var loss = 0
    /// What machines refused, and whose frame it was.
    var refusals: [(by: Int, FactRefusal)] = []
    /// Every frame that was sent.
    var sent: [GossipMessage] = []

    init(nodes count: Int, seed: UInt64 = 1, settings: GossipSettings = GossipSettings()) {
        keys = (0..<count).map { Ed25519PrivateKey(seed: [UInt8](repeating: UInt8($0 + 1), count: 32))! }
        machines = keys.map {
            Gossip(
                cluster: Self.cluster, key: $0, incarnation: 1, table: Self.table, settings: settings,
                now: .start)
        }
        dice = Dice(state: seed)
        let all = Set(keys.map(\.node))
        for index in machines.indices {
            var actions: [Gossip.Action] = []
            machines[index].setMembers(all, into: &actions)
            machines[index].setPeers(all, now: .start)
        }
    }

    var clock: ClockReading {
        ClockReading(uptime: Uptime(milliseconds: now), wall: Timestamp(milliseconds: 1_000_000 + now))
    }

    mutating func say(_ number: UInt64, about name: String, at index: Int) throws {
        var actions: [Gossip.Action] = []
        try machines[index].say(TestFact(number: number), about: name, now: clock, into: &actions)
        carry(out: actions, of: index)
    }

    /// Lets time pass in steps of 10 ms.
    mutating func run(for milliseconds: Int64) {
        for _ in 0..<milliseconds / 10 {
            now += 10
            for index in machines.indices where machines[index].wakeUp.milliseconds <= now {
                var actions: [Gossip.Action] = []
                machines[index].tick(now: clock, using: &dice, into: &actions)
                carry(out: actions, of: index)
            }
        }
    }

    mutating func deliver(_ message: GossipMessage, to index: Int, from sender: Int) {
        var actions: [Gossip.Action] = []
        machines[index].receive(message, from: keys[sender].node, now: clock, into: &actions)
        carry(out: actions, of: index)
    }

    mutating func ask(at index: Int) {
        var actions: [Gossip.Action] = []
        machines[index].ask(keys.indices.filter { $0 != index }.map { keys[$0].node }, into: &actions)
        carry(out: actions, of: index)
    }

    private mutating func carry(out actions: [Gossip.Action], of index: Int) {
        for action in actions {
            switch action {
            case .send(let message, let peers):
                for peer in peers {
                    guard let place = keys.firstIndex(where: { $0.node == peer }) else { continue }
                    sent.append(message)
                    guard Int.random(in: 0..<1000, using: &dice) >= loss else { continue }
                    deliver(message, to: place, from: index)
                }
            case .changed: break
            case .refused(let refusal, _): refusals.append((index, refusal))
            }
        }
    }

    func known(_ name: String, at index: Int) -> UInt64 {
        machines[index].replica.view(TestFact.self, of: name, now: clock.uptime)
    }
}
