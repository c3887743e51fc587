package import MailValues

/// All facts as one node knows them: its own, which it alone writes, and those of the others.
///
/// It merges by taking for each (origin, key) the highest version, so it comes out the same in whatever order
/// and however often statements arrive. What comes from others must be verified before it gets here.
package struct Replica: Sendable {
    package let node: NodeID
    package let incarnation: UInt64
    package let table: FactTable

    var logs: [NodeID: OriginLog] = [:]
    /// Who may say anything at all: the admitted set, without us.
    private(set) var members: Set<NodeID> = []
    /// What we said last.
    var counter: UInt64 = 0
    var stamps = StampClock()

    /// `incarnation` must be above every one that this node ever had: what it said before is void from then.
    package init(node: NodeID, incarnation: UInt64, table: FactTable) {
        self.node = node
        self.incarnation = incarnation
        self.table = table
        logs[node] = OriginLog(incarnation: incarnation)
    }

    /// Sets who is admitted; what others said goes with them.
    package mutating func setMembers(_ members: Set<NodeID>, into changes: inout [FactChange]) {
        self.members = members.subtracting([node])
        for origin in Array(logs.keys) where origin != node && !members.contains(origin) {
            logs[origin] = nil
            changes.append(.forgotten(origin))
        }
    }

    package func isMember(_ origin: NodeID) -> Bool { members.contains(origin) }

    /// The log of an origin, for those who look at it.
    package func log(of origin: NodeID) -> OriginLog? { logs[origin] }

    /// How far we know each origin.
    package var marks: [NodeID: Version] {
        logs.mapValues { Version(incarnation: $0.incarnation, counter: $0.mark) }
    }

    /// Statements held, of all origins.
    package var count: Int { logs.values.reduce(0) { $0 + $1.count } }

    /// Drops what is over.
    package mutating func expire(now: Uptime, into changes: inout [FactChange]) {
        // The keys are copied out, or the dictionary and with it every log would be copied on the first write.
        for origin in Array(logs.keys) {
            logs[origin]?.expire(now: now.milliseconds, origin: origin, into: &changes)
        }
    }

    // MARK: Reading

    /// What each origin says about a key now; a deletion says nothing.
    package func statements(about key: FactKey, now: Uptime) -> [(origin: NodeID, record: FactRecord)] {
        logs.compactMap { origin, log in
            guard let held = log.held(key), held.record.value != nil, held.expires > now.milliseconds else {
                return nil
            }
            return (origin, held.shown)
        }
    }

    /// All that is said of a kind now, in no order.
    package func statements(
        of kind: FactKind, now: Uptime
    ) -> [(origin: NodeID, record: FactRecord, age: Int64)] {
        logs.flatMap { origin, log in
            log.all.filter {
                $0.record.key.kind == kind && $0.record.value != nil && $0.expires > now.milliseconds
            }.map { (origin, $0.shown, now.milliseconds - $0.said) }
        }
    }

    /// All that an origin says now, in no order.
    package func statements(by origin: NodeID, now: Uptime) -> [FactRecord] {
        guard let log = logs[origin] else { return [] }
        return log.all.filter {
            $0.record.value != nil && $0.record.key.kind != .floor && $0.expires > now.milliseconds
        }.map(\.shown)
    }

    /// What an origin says about a key, and at which version.
    package func version(of key: FactKey, by origin: NodeID) -> Version? {
        guard let log = logs[origin], let held = log.held(key) else { return nil }
        return Version(incarnation: log.incarnation, counter: held.record.counter)
    }
}
