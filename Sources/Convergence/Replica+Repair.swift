package import MailValues

extension Replica {
    /// What one statement weighs in a delta besides its octets and its path.
    private static let overheadOctets = 48
    /// What a batch weighs that was not in the delta yet.
    private static let batchOctets = 160

    // MARK: What we have

    /// How far we know each member, ourselves included.
    package func digest() -> FactDigest {
        var entries = logs.map {
            FactDigest.Entry(origin: $0.key, incarnation: $0.value.incarnation, mark: $0.value.mark)
        }
        // Who is new to us asks for himself by a mark of 0 in the lowest of incarnations.
        for origin in members where logs[origin] == nil {
            entries.append(FactDigest.Entry(origin: origin, incarnation: 0, mark: 0))
        }
        return FactDigest(entries: entries)
    }

    /// Whether the digest's writer knows something that we lack.
    package func lacks(_ digest: FactDigest) -> Bool {
        digest.entries.contains { entry in
            guard entry.mark > 0, members.contains(entry.origin) else { return false }
            guard let log = logs[entry.origin] else { return true }
            return (log.incarnation, log.mark) < (entry.incarnation, entry.mark)
        }
    }

    /// What the digest's writer lacks, oldest first for each origin, within about `octets`; `turn` says with
    /// which origin to begin, so that none is always the one for whom nothing is left.
    ///
    /// An origin that is not in the digest is none of its writer's members: it gets nothing of it.
    package func deltas(
        for digest: FactDigest, octets: Int, turn: Int, now: Uptime
    ) -> (deltas: [FactDelta], isCut: Bool) {
        var left = octets
        var deltas: [FactDelta] = []
        var isCut = false
        let count = digest.entries.count
        for index in 0..<count {
            let entry = digest.entries[(index + turn % max(count, 1) + count) % count]
            guard let log = logs[entry.origin], let head = log.head, log.mark > 0 else { continue }
            guard log.incarnation >= entry.incarnation else { continue }
            let from = log.incarnation == entry.incarnation ? entry.mark : 0
            guard from < log.mark else { continue }
            guard left > 0 else { return (deltas, true) }
            let delta = self.delta(of: entry.origin, log, head, from: from, left: &left, now: now)
            isCut = isCut || delta.to < log.mark
            deltas.append(delta)
        }
        return (deltas, isCut)
    }

    private func delta(
        of origin: NodeID, _ log: OriginLog, _ head: SignedBatch, from: UInt64, left: inout Int, now: Uptime
    ) -> FactDelta {
        var delta = FactDelta(
            origin: origin, incarnation: log.incarnation, from: from, to: log.mark, head: head, facts: [])
        // Floors before all else: only who has dropped what lies below has room for what lies above.
        for held in log.floorsHeld where held.record.counter > from && held.record.seal != nil {
            delta.facts.append(TravellingFact(record: held.record, age: now.milliseconds - held.said))
            left -= held.record.sizeOctets + (held.record.seal?.path.count ?? 0) + Self.overheadOctets
        }
        var batch: SignedBatch?
        var reached: UInt64?
        left -= Self.batchOctets
        for index in OriginLog.index(after: from, in: log.covered)..<log.covered.count {
            guard let held = log.held(at: log.covered[index]), let seal = held.record.seal,
                held.record.key.kind != .floor, held.expires > now.milliseconds
            else { continue }
            if left <= 0, let reached {
                delta.to = reached
                break
            }
            delta.facts.append(TravellingFact(record: held.record, age: now.milliseconds - held.said))
            reached = held.record.counter
            left -= held.record.sizeOctets + seal.path.count + Self.overheadOctets
            if batch !== seal.batch { left -= Self.batchOctets }
            batch = seal.batch
        }
        return delta
    }

    // MARK: What others send

    /// Whether a statement could teach us anything; who asks first spares itself the proof of what is known.
    package func isNews(_ record: FactRecord, of batch: SignedBatch) -> Bool {
        guard members.contains(batch.origin) else { return false }
        guard let log = logs[batch.origin], log.incarnation == batch.incarnation else { return true }
        return record.counter > log.mark && (log.held(record.key)?.record.counter ?? 0) < record.counter
    }

    /// What a delta or a push did.
    package struct Learnt: Sendable, Equatable {
        /// New to us.
        package var taken = 0
        /// Nothing to learn.
        package var known = 0
        /// Refused, because the origin says more than its kind allows.
        package var overBound = 0
        /// Refused: of an incarnation that is over, or of no member.
        package var foreign = 0

        package init() {}
    }

    /// Applies verified statements that came on their own, and **leaves the marks alone**: whoever moved them
    /// here would step over what was lost on the way, and never ask for it again.
    package mutating func apply(
        pushed facts: [TravellingFact], now: ClockReading, into changes: inout [FactChange]
    ) -> Learnt {
        var learnt = Learnt()
        for fact in facts {
            guard let batch = fact.record.seal?.batch,
                enter(batch.origin, batch.incarnation, into: &changes)
            else {
                learnt.foreign += 1
                continue
            }
            logs[batch.origin]?.learn(head: batch)
            _ = hold(fact, of: batch.origin, now, &learnt, into: &changes)
        }
        return learnt
    }

    /// Applies a delta whose statements and head are verified, and moves the mark to the end of its range.
    ///
    /// A range that begins above our mark leaves a hole, so it teaches but moves nothing. None moves the mark
    /// past what the origin has signed for.
    package mutating func apply(
        _ delta: FactDelta, now: ClockReading, into changes: inout [FactChange]
    ) -> Learnt {
        var learnt = Learnt()
        guard delta.head.origin == delta.origin, delta.head.incarnation == delta.incarnation,
            enter(delta.origin, delta.incarnation, into: &changes)
        else {
            learnt.foreign += delta.facts.count
            return learnt
        }
        logs[delta.origin]?.learn(head: delta.head)
        var reached = delta.to
        for fact in delta.facts {
            // A word of an earlier incarnation has a counter of that one: here it would pass for a new word.
            let isOfRange =
                fact.record.seal?.batch.origin == delta.origin
                && fact.record.seal?.batch.incarnation == delta.incarnation
            if !isOfRange { learnt.foreign += 1 }
            guard isOfRange, hold(fact, of: delta.origin, now, &learnt, into: &changes) else {
                reached = min(reached, max(fact.record.counter, 1) - 1)
                break
            }
        }
        let mark = logs[delta.origin]?.mark ?? 0
        let signed = logs[delta.origin]?.head?.last ?? 0
        if delta.from <= mark { logs[delta.origin]?.raiseMark(to: min(reached, signed)) }
        return learnt
    }

    /// Makes room for what an origin says in this incarnation; false if it has no say, or has a newer one.
    private mutating func enter(
        _ origin: NodeID, _ incarnation: UInt64, into changes: inout [FactChange]
    ) -> Bool {
        guard members.contains(origin) else { return false }  // so nobody writes in our own log either
        if let log = logs[origin] {
            if log.incarnation == incarnation { return true }
            guard log.incarnation < incarnation else { return false }
            changes.append(.forgotten(origin))
        }
        logs[origin] = OriginLog(incarnation: incarnation)
        return true
    }

    /// False if the origin is over its bounds.
    private mutating func hold(
        _ fact: TravellingFact, of origin: NodeID, _ now: ClockReading, _ learnt: inout Learnt,
        into changes: inout [FactChange]
    ) -> Bool {
        let record = fact.record
        let bounds = table.bounds(of: record.key.kind)
        guard record.key.subject.count <= bounds.subjectOctets,
            (record.value?.count ?? 0) <= bounds.valueOctets
        else {
            learnt.overBound += 1
            return false
        }
        let version = Version(
            incarnation: logs[origin]?.incarnation ?? 0, counter: record.counter)
        if isRevoked(record.key.kind, version, of: origin) {
            var unshown: [FactChange] = []
            return hold(record, age: fact.age, of: origin, bounds, now, &learnt, into: &unshown)
        }
        return hold(record, age: fact.age, of: origin, bounds, now, &learnt, into: &changes)
    }

    private mutating func hold(
        _ record: FactRecord, age: Int64, of origin: NodeID, _ bounds: FactBounds, _ now: ClockReading,
        _ learnt: inout Learnt, into changes: inout [FactChange]
    ) -> Bool {
        let said = now.uptime.milliseconds - max(0, min(age, Self.ageLongest))
        switch logs[origin]?.hold(
            record, said: said, stamp: stamps.admit(record.stamp, now: now.wall),
            lifetimeLongest: table.lifetimeLongest(of: record.key.kind), now: now.uptime.milliseconds,
            bounds: bounds, isKnown: table.knows(record.key.kind), origin: origin, into: &changes)
        {
        case .taken: learnt.taken += 1
        case .known, nil: learnt.known += 1
        case .overBound:
            learnt.overBound += 1
            return false
        }
        return true
    }

    /// No age is above it, whatever its bearer says: 30 years in milliseconds.
    private static let ageLongest: Int64 = 30 * 365 * 86_400_000
}
