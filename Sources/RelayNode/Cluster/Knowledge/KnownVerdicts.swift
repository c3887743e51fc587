import Convergence
import Filtering
import MailValues
import Membership

/// All that is said about campaigns: the nodes' words, what the operator condemned, and what he took back.
struct KnownVerdicts: Sendable {
    struct Word: Sendable, Equatable {
        var fact: VerdictFact
        var counter: UInt64
        var stamp: Timestamp
        /// When this node's own word ends by itself; nil: the cluster says when.
        var until: Uptime?
    }

    /// Own words while nobody else bounds them: as many as an origin may say in a cluster.
    static let ownWordsMost = VerdictFact.description.bounds.keys

    private(set) var words: [Fingerprint: [NodeID: Word]] = [:]
    private(set) var orders: [Fingerprint: Order] = [:]
    private(set) var revocations: [Fingerprint: Order] = [:]

    var isEmpty: Bool { words.isEmpty && orders.isEmpty }
    var fingerprints: Set<Fingerprint> { Set(words.keys).union(orders.keys).union(revocations.keys) }

    // MARK: Changing

    /// Up to which word of each origin a fingerprint's revocation covers what was said: that counts for nothing when the
    /// order is over, either.
    private var covered: [Fingerprint: [NodeID: UInt64]] = [:]

    mutating func set(_ word: Word, about fingerprint: Fingerprint, by origin: NodeID) {
        if let last = covered[fingerprint]?[origin], word.until == nil, word.counter <= last { return }
        words[fingerprint, default: [:]][origin] = word
    }

    /// False: it said nothing.
    mutating func remove(_ fingerprint: Fingerprint, by origin: NodeID) -> Bool {
        guard words[fingerprint]?.removeValue(forKey: origin) != nil else { return false }
        if words[fingerprint]?.isEmpty == true { words[fingerprint] = nil }
        return true
    }

    /// What the origin spoke of.
    mutating func forget(_ origin: NodeID) -> [Fingerprint] {
        spoken(by: origin).filter { remove($0, by: origin) }
    }

    func spoken(by origin: NodeID) -> [Fingerprint] {
        words.filter { $0.value[origin] != nil }.map(\.key)
    }

    /// False: an order with a higher number is known.
    mutating func set(_ order: Order, about fingerprint: Fingerprint) -> Bool {
        Self.set(order, fingerprint, in: &orders)
    }

    mutating func set(
        revocation order: Order, of fingerprint: Fingerprint, covering versions: [NodeID: Version]
    ) -> Bool {
        guard Self.set(order, fingerprint, in: &revocations) else { return false }
        covered[fingerprint] = order.isLifted ? nil : versions.mapValues(\.counter)
        for (origin, word) in words[fingerprint] ?? [:]
        where word.until == nil && word.counter <= covered[fingerprint]?[origin] ?? 0 {
            _ = remove(fingerprint, by: origin)
        }
        return true
    }

    private static func set(
        _ order: Order, _ fingerprint: Fingerprint, in orders: inout [Fingerprint: Order]
    ) -> Bool {
        if let held = orders[fingerprint], held.number >= order.number { return false }
        orders[fingerprint] = order
        return true
    }

    /// Drops what is over, and says what that was about.
    mutating func prune(node: NodeID, now: ClockReading) -> [Fingerprint] {
        let ended = Set(
            (Array(orders) + Array(revocations)).filter { $0.value.expires.map { $0 <= now.wall } ?? false }
                .map(\.key))
        for fingerprint in ended {
            if Self.isOver(orders[fingerprint], now.wall) { orders[fingerprint] = nil }
            if Self.isOver(revocations[fingerprint], now.wall) {
                revocations[fingerprint] = nil
                covered[fingerprint] = nil
            }
        }
        let faded = words.filter { $0.value[node]?.until.map { $0 <= now.uptime } ?? false }.map(\.key)
        return Array(ended) + faded.filter { remove($0, by: node) }
    }

    mutating func rename(_ old: NodeID, to new: NodeID) {
        for (fingerprint, said) in words {
            guard let word = said[old] else { continue }
            words[fingerprint]?[old] = nil
            words[fingerprint]?[new] = word
        }
    }

    // MARK: Asking

    private static func isOver(_ order: Order?, _ now: Timestamp) -> Bool {
        order?.expires.map { $0 <= now } ?? false
    }

    /// The order that holds about a fingerprint: of one to condemn it and one to take that back, the newer.
    func order(
        _ fingerprint: Fingerprint, now: Timestamp
    ) -> (ordered: VerdictDecision.Ordered, order: Order?) {
        func holding(_ order: Order?) -> Order? {
            order.flatMap { $0.isLifted || Self.isOver($0, now) ? nil : $0 }
        }
        let (against, back) = (holding(orders[fingerprint]), holding(revocations[fingerprint]))
        switch (against, back) {
        case (nil, nil): return (.nothing, nil)
        case (let order?, nil): return (.against, order)
        case (nil, let order?): return (.revoked, order)
        case (let against?, let back?):
            return against.number > back.number ? (.against, against) : (.revoked, back)
        }
    }

    func view(_ fingerprint: Fingerprint, without revoked: Set<NodeID>) -> VerdictFact.View {
        guard let said = words[fingerprint] else { return VerdictFact.merge([]) }
        return VerdictFact.merge(
            said.filter { !revoked.contains($0.key) }.map { origin, word in
                Said(
                    origin: origin, version: Version(incarnation: 0, counter: word.counter),
                    value: word.fact, stamp: word.stamp)
            })
    }
}
