package import Convergence
package import MailValues

/// What this node counted and what the others told it, as one answer.
///
/// Sums are made when something changes, so that to ask costs a few look-ups and a multiplication.
package struct Reputations: Sendable {
    private struct Word: Sendable {
        var origin: NodeID
        var counters: Counters
    }

    /// All origins' words about one subject. They decay alike, so what stands here keeps its proportions, and
    /// only needs the factor since `asOf`.
    private struct Entry: Sendable {
        var words: [Word]
        var merged: Counters
        var witnesses: Int
        var asOf: Int64
    }

    package private(set) var observations: Observations
    private var node: NodeID
    private var entries: [ReputationSubject: Entry] = [:]

    package init(node: NodeID, settings: Observations.Settings = Observations.Settings()) {
        self.node = node
        observations = Observations(settings: settings)
    }

    /// Goes on under another name, as a node does that joins a cluster; what it counted stays.
    package mutating func become(_ node: NodeID) {
        self.node = node
        for (subject, var entry) in entries {
            merge(&entry)
            entries[subject] = entry
        }
    }

    /// Subjects of which anybody said something.
    package var count: Int { entries.count }

    // MARK: Counting and telling

    package mutating func count(
        _ kind: Counters.Kind, of subject: ReputationSubject, by amount: Float = 1, now: Uptime
    ) {
        observations.count(kind, of: subject, by: amount, now: now)
    }

    /// Counts for an address and for its neighbourhood.
    package mutating func count(
        _ kind: Counters.Kind, from address: IPAddress, by amount: Float = 1, now: Uptime
    ) {
        let (narrow, wide) = ReputationSubject.networks(of: address)
        count(kind, of: .network(narrow), by: amount, now: now)
        count(kind, of: .network(wide), by: amount, now: now)
    }

    /// What to say to the others now.
    package mutating func due(
        now: Uptime, countLongest: Int = 1000
    ) -> [(subject: ReputationSubject, fact: ReputationFact)] {
        observations.due(now: now, countLongest: countLongest)
    }

    // MARK: Hearing

    package mutating func apply(_ changes: [FactChange], now: Uptime) {
        for change in changes {
            switch change {
            case .said(let origin, let record, let age):
                guard record.key.kind == ReputationFact.description.kind,
                    let subject = ReputationFact.subject(record.key.subject), let value = record.value
                else { continue }
                guard let fact = ReputationFact(octets: value) else {
                    forget(subject, by: origin, now: now.milliseconds)
                    continue
                }
                let counters = fact.counters.decayed(by: Decay.factor(milliseconds: age))
                set(counters, of: subject, by: origin, now: now.milliseconds)
            case .withdrawn(let origin, let key):
                guard key.kind == ReputationFact.description.kind,
                    let subject = ReputationFact.subject(key.subject)
                else { continue }
                forget(subject, by: origin, now: now.milliseconds)
            case .forgotten(let origin):
                for (subject, entry) in entries where entry.words.contains(where: { $0.origin == origin }) {
                    forget(subject, by: origin, now: now.milliseconds)
                }
            }
        }
    }

    private mutating func set(
        _ counters: Counters, of subject: ReputationSubject, by origin: NodeID, now: Int64
    ) {
        var entry = entries[subject] ?? Entry(words: [], merged: .zero, witnesses: 0, asOf: now)
        Self.decay(&entry, to: now)
        if let place = entry.words.firstIndex(where: { $0.origin == origin }) {
            entry.words[place].counters = counters
        } else {
            entry.words.append(Word(origin: origin, counters: counters))
        }
        merge(&entry)
        entries[subject] = entry
    }

    private mutating func forget(_ subject: ReputationSubject, by origin: NodeID, now: Int64) {
        guard var entry = entries[subject] else { return }
        entry.words.removeAll { $0.origin == origin }
        guard !entry.words.isEmpty else {
            entries[subject] = nil
            return
        }
        Self.decay(&entry, to: now)
        merge(&entry)
        entries[subject] = entry
    }

    private static func decay(_ entry: inout Entry, to now: Int64) {
        let factor = Decay.factor(milliseconds: now - entry.asOf)
        for place in entry.words.indices {
            entry.words[place].counters = entry.words[place].counters.decayed(by: factor)
        }
        entry.asOf = now
    }

    private func merge(_ entry: inout Entry) {
        entry.merged = .cappedSum(entry.words.map(\.counters))
        entry.witnesses = entry.words.count {
            $0.origin != node && Standing($0.counters).slows
        }
    }

    // MARK: Asking

    /// What all nodes' words come to; the same on every node that has heard the same.
    package func merged(_ subject: ReputationSubject, now: Uptime) -> Counters {
        guard let entry = entries[subject] else { return .zero }
        return entry.merged.decayed(by: Decay.factor(milliseconds: now.milliseconds - entry.asOf))
    }

    /// Who said what about a subject; for the operator's eye.
    package func words(
        about subject: ReputationSubject, now: Uptime
    ) -> [(origin: NodeID, counters: Counters)] {
        guard let entry = entries[subject] else { return [] }
        let factor = Decay.factor(milliseconds: now.milliseconds - entry.asOf)
        return entry.words.map { ($0.origin, $0.counters.decayed(by: factor)) }
    }

    /// What this node thinks of a subject: of each counter the larger of what it counted itself, up to this
    /// moment and uncapped, and what all words come to. What it has seen itself nobody talks it out of.
    package func standing(of subject: ReputationSubject, now: Uptime) -> Standing {
        let counted = observations.counters(of: subject, now: now)
        let own = counted.map { Standing($0) }
        guard let entry = entries[subject] else {
            guard var own else { return .stranger }
            own.witnesses = own.slows ? 1 : 0
            own.isOwnEvidence = own.refuses
            return own
        }
        let heard = entry.merged.decayed(by: Decay.factor(milliseconds: now.milliseconds - entry.asOf)).lanes
        guard let counted, let own else {
            var standing = Standing(Counters(lanes: heard))
            standing.witnesses = entry.witnesses
            return standing
        }
        let lanes = counted.lanes.replacing(with: heard, where: counted.lanes .< heard)
        var standing = Standing(Counters(lanes: lanes))
        standing.witnesses = entry.witnesses + (own.slows ? 1 : 0)
        standing.isOwnEvidence = own.refuses
        if own.slows { standing.score = min(standing.score, own.score) }
        return standing
    }

    /// What this node thinks of an address: of itself if it is known, else of its neighbourhood, which must
    /// have done a good deal before it speaks for one of its own.
    package func standing(of address: IPAddress, now: Uptime) -> Standing {
        let (narrow, wide) = ReputationSubject.networks(of: address)
        let own = standing(of: .network(narrow), now: now)
        guard own.sureness < Standing.slowSureness else { return own }
        var around = standing(of: .network(wide), now: now)
        guard around.sureness > own.sureness else { return own }
        // Guilt by neighbourhood slows down and never refuses.
        around.score = max(around.score, (Standing.refuseScore + Standing.slowScore) / 2)
        return around
    }
}
