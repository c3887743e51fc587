package import MailValues

/// Who is a member: all admissions and evictions, in whatever order they come, give the same set.
///
/// Of an admission and an eviction of one node the higher number holds. A permit brings in one node, whatever its
/// doorkeeper says: of several, the one with the lowest key.
package struct AdmissionBook: Sendable {
    package let cluster: ClusterID
    package let operatorKey: [UInt8]
    private var admissions: [NodeID: Admission] = [:]
    private var evictions: [NodeID: UInt64] = [:]
    /// Who came in under which number.
    private var used: [UInt64: NodeID] = [:]

    /// Members ever admitted; bounds what a stolen operator's key could make us keep.
    package static let countLongest = 4_096

    package init(cluster: ClusterID, operatorKey: [UInt8]) {
        self.cluster = cluster
        self.operatorKey = operatorKey
    }

    package enum Taking: Equatable, Sendable {
        /// To be stored; the set is a new one.
        case taken
        case known
        /// Not what everybody must believe.
        case refused
    }

    package mutating func take(_ admission: Admission) -> Taking {
        if let held = admissions[admission.node], held.number >= admission.number { return .known }
        if let evicted = evictions[admission.node], evicted >= admission.number { return .known }
        if let other = used[admission.number], other < admission.node { return .refused }
        guard admissions.count < Self.countLongest || admissions[admission.node] != nil,
            admission.isValid(operatorKey: operatorKey, in: cluster)
        else { return .refused }
        // Under one permit one node, everywhere the same.
        if let other = used[admission.number] { admissions[other] = nil }
        used[admission.number] = admission.node
        admissions[admission.node] = admission
        evictions[admission.node] = nil
        return .taken
    }

    /// Takes the operator's order to evict, whose signature was checked. True: the set is a new one.
    package mutating func evict(_ node: NodeID, number: UInt64) -> Bool {
        guard number > evictions[node] ?? 0, number > admissions[node]?.number ?? 0 else { return false }
        guard evictions.count < Self.countLongest || evictions[node] != nil else { return false }
        evictions[node] = number
        admissions[node] = nil
        return true
    }

    package func isMember(_ node: NodeID) -> Bool { admissions[node] != nil }
    package func isEvicted(_ node: NodeID) -> Bool { evictions[node] != nil }
    /// The number of the order that evicted it.
    func eviction(of node: NodeID) -> UInt64? { evictions[node] }
    package func admission(of node: NodeID) -> Admission? { admissions[node] }
    package var members: Set<NodeID> { Set(admissions.keys) }

    /// All that a new member must be told, in order of numbers.
    package var all: [Admission] { admissions.values.sorted { $0.number < $1.number } }
    package var allEvictions: [(node: NodeID, number: UInt64)] {
        evictions.map { ($0.key, $0.value) }.sorted { $0.1 < $1.1 }
    }

    /// The node that came in under a number.
    func user(of number: UInt64) -> NodeID? { used[number] }

    /// The member with this name. Two doors may let the same name in at once: it is the earlier one's, and the
    /// later one is shown with a part of its key.
    package func member(named name: String) -> NodeID? { names.first { $0.value == name }?.key }

    package var names: [NodeID: String] {
        var taken: Set<String> = []
        var names: [NodeID: String] = [:]
        for admission in all {
            let lower = admission.name.lowercased()
            let isFree = taken.insert(lower).inserted
            names[admission.node] = isFree ? lower : "\(lower)-\(admission.node.hex.prefix(4))"
        }
        return names
    }

    /// Names this set among all that were and will be: the highest number in it.
    package var number: UInt64 {
        max(admissions.values.map(\.number).max() ?? 0, evictions.values.max() ?? 0)
    }
}

/// What depends on the admitted set while it changes: the smaller of old and new, until all have the new one.
package struct AdmittedSets: Sendable, Equatable {
    package private(set) var newest: Set<NodeID>
    package private(set) var number: UInt64
    /// The sets that somebody may still go by, oldest first.
    private var older: [(number: UInt64, members: Set<NodeID>)] = []

    package init(number: UInt64, members: Set<NodeID>) {
        self.number = number
        newest = members
    }

    package mutating func change(to members: Set<NodeID>, number: UInt64) {
        guard number > self.number else { return }
        older.append((self.number, newest))
        newest = members
        self.number = number
    }

    /// What each member says it has stored. Sets that nobody goes by any more are dropped; true if only one is left.
    package mutating func confirm(_ stored: [NodeID: UInt64]) -> Bool {
        let least = newest.map { stored[$0] ?? 0 }.min() ?? number
        older.removeAll { $0.number < least }
        return older.isEmpty
    }

    /// Members that have not confirmed the newest set: a human brings them back, or evicts them.
    package func missing(_ stored: [NodeID: UInt64]) -> Set<NodeID> {
        newest.filter { (stored[$0] ?? 0) < number }
    }

    /// The least that any set still in use gives, by a function that says what one set gives.
    package func least(_ share: (Set<NodeID>) -> Int) -> Int {
        older.map { share($0.members) }.reduce(share(newest), min)
    }

    package static func == (left: AdmittedSets, right: AdmittedSets) -> Bool {
        left.number == right.number && left.newest == right.newest
            && left.older.map(\.number) == right.older.map(\.number)
    }
}
