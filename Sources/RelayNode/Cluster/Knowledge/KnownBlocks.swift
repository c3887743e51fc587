import Convergence
import MailValues
import Membership
import Reputation

/// All that is said about hosts and accounts that are to be kept out: the nodes' words and the operator's orders.
struct KnownBlocks: Sendable {
    struct Word: Sendable, Equatable {
        var fact: BlockFact
        var stamp: Timestamp
        /// When this node's own word ends by itself; nil: the cluster says when.
        var until: Uptime?
    }

    /// Own words while nobody else bounds them: as many as an origin may say in a cluster.
    static let ownWordsMost = BlockFact.description.bounds.keys

    private(set) var words: [BlockSubject: [NodeID: Word]] = [:]
    private(set) var orders: [BlockSubject: Order] = [:]
    private var lengths = PrefixLengths()

    var subjects: Set<BlockSubject> { Set(words.keys).union(orders.keys) }

    // MARK: Changing

    mutating func set(_ word: Word, about subject: BlockSubject, by origin: NodeID) {
        enter(subject)
        words[subject, default: [:]][origin] = word
    }

    mutating func remove(_ subject: BlockSubject, by origin: NodeID) {
        guard words[subject]?.removeValue(forKey: origin) != nil else { return }
        if words[subject]?.isEmpty == true { words[subject] = nil }
        leave(subject)
    }

    mutating func forget(_ origin: NodeID) {
        for subject in Array(words.keys) { remove(subject, by: origin) }
    }

    /// False: an order with a higher number is known.
    mutating func set(_ order: Order, about subject: BlockSubject) -> Bool {
        if let held = orders[subject], held.number >= order.number { return false }
        enter(subject)
        orders[subject] = order
        return true
    }

    /// Drops what is over. Whether there was any.
    mutating func prune(node: NodeID, now: ClockReading) -> Bool {
        var isChanged = false
        for (subject, order) in orders where order.expires.map({ $0 <= now.wall }) ?? false {
            orders[subject] = nil
            leave(subject)
            isChanged = true
        }
        for (subject, said) in words {
            guard let until = said[node]?.until, until <= now.uptime else { continue }
            remove(subject, by: node)
            isChanged = true
        }
        return isChanged
    }

    /// What this node says itself goes on under another name.
    mutating func rename(_ old: NodeID, to new: NodeID) {
        for (subject, said) in words {
            guard let word = said[old] else { continue }
            words[subject]?[old] = nil
            words[subject]?[new] = word
        }
    }

    private mutating func enter(_ subject: BlockSubject) {
        guard words[subject] == nil, orders[subject] == nil, case .network(let network) = subject else {
            return
        }
        lengths.add(network, 1)
    }

    private mutating func leave(_ subject: BlockSubject) {
        guard words[subject] == nil, orders[subject] == nil, case .network(let network) = subject else {
            return
        }
        lengths.add(network, -1)
    }

    // MARK: Asking

    func order(_ subject: BlockSubject, now: Timestamp) -> Order? {
        orders[subject].flatMap { $0.expires.map { $0 <= now } ?? false ? nil : $0 }
    }

    func view(_ subject: BlockSubject, without revoked: Set<NodeID>) -> BlockFact.View {
        guard let said = words[subject] else { return BlockFact.merge([]) }
        return BlockFact.merge(
            said.filter { !revoked.contains($0.key) }.map { origin, word in
                // Of a block nobody asks for the version: who revokes it has it withdrawn.
                Said(
                    origin: origin, version: Version(incarnation: 0, counter: 0), value: word.fact,
                    stamp: word.stamp)
            })
    }

    /// Of the networks about which something is said, those that hold an address, the narrowest first.
    func networks(around address: IPAddress) -> [BlockSubject] {
        lengths.of(address).map { .network(Network(address, prefixLength: $0)) }.filter {
            words[$0] != nil || orders[$0] != nil
        }
    }
}

/// Which lengths of prefixes are in use, so that few need be looked up.
private struct PrefixLengths: Sendable {
    private var counts = (v4: [Int: Int](), v6: [Int: Int]())
    private var inUse = (v4: [Int](), v6: [Int]())

    mutating func add(_ network: Network, _ change: Int) {
        if network.address.isV4 {
            Self.add(network.prefixLength, change, &counts.v4, &inUse.v4)
        } else {
            Self.add(network.prefixLength, change, &counts.v6, &inUse.v6)
        }
    }

    private static func add(_ length: Int, _ change: Int, _ counts: inout [Int: Int], _ inUse: inout [Int]) {
        let count = counts[length, default: 0] + change
        counts[length] = count > 0 ? count : nil
        if (count > 0) != inUse.contains(length) { inUse = counts.keys.sorted(by: >) }
    }

    /// The longest first.
    func of(_ address: IPAddress) -> [Int] { address.isV4 ? inUse.v4 : inUse.v6 }
}
