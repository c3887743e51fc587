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

    /// Up to which version an origin's judgements are revoked.
    private(set) var revoked: [NodeID: Version] = [:]

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
            guard let held = log.held(key), isShown(held, of: origin, log), held.expires > now.milliseconds
            else { return nil }
            return (origin, held.shown)
        }
    }

    /// All that is said of a kind now, in no order.
    package func statements(
        of kind: FactKind, now: Uptime
    ) -> [(origin: NodeID, record: FactRecord, age: Int64)] {
        logs.flatMap { origin, log in
            log.all.filter {
                $0.record.key.kind == kind && isShown($0, of: origin, log) && $0.expires > now.milliseconds
            }.map { (origin, $0.shown, now.milliseconds - $0.said) }
        }
    }

    /// All that an origin says now, in no order.
    package func statements(by origin: NodeID, now: Uptime) -> [FactRecord] {
        guard let log = logs[origin] else { return [] }
        return log.all.filter {
            isShown($0, of: origin, log) && $0.expires > now.milliseconds
        }.map(\.shown)
    }

    /// What an origin says about a key, and at which version.
    package func version(of key: FactKey, by origin: NodeID) -> Version? {
        guard let log = logs[origin], let held = log.held(key) else { return nil }
        return Version(incarnation: log.incarnation, counter: held.record.counter)
    }

    // MARK: Revoking

    /// Whether a statement says anything to those who make something of facts.
    private func isShown(_ held: OriginLog.Held, of origin: NodeID, _ log: OriginLog) -> Bool {
        held.record.value != nil && held.record.key.kind != .floor
            && !isRevoked(
                held.record.key.kind,
                Version(incarnation: log.incarnation, counter: held.record.counter), of: origin)
    }

    func isRevoked(_ kind: FactKind, _ version: Version, of origin: NodeID) -> Bool {
        guard let last = revoked[origin], version <= last else { return false }
        return table[kind]?.isRevocable == true
    }

    /// Sets up to which version each origin's judgements count for nothing, by the operator's word.
    ///
    /// They are kept and carried on, so that marks stay true, but nobody is shown them.
    package mutating func setRevoked(
        _ revoked: [NodeID: Version], now: Uptime, into changes: inout [FactChange]
    ) {
        let before = self.revoked
        self.revoked = revoked
        for (origin, log) in logs where before[origin] != revoked[origin] {
            for held in log.all where held.record.value != nil && held.expires > now.milliseconds {
                guard table[held.record.key.kind]?.isRevocable == true else { continue }
                let version = Version(incarnation: log.incarnation, counter: held.record.counter)
                let was = before[origin].map { version <= $0 } ?? false
                let isNow = revoked[origin].map { version <= $0 } ?? false
                if isNow, !was { changes.append(.withdrawn(origin, held.record.key)) }
                if was, !isNow {
                    changes.append(.said(origin, held.shown, age: now.milliseconds - held.said))
                }
            }
        }
    }
}
