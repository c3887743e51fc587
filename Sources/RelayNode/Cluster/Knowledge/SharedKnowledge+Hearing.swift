package import Convergence
import Filtering
import MailValues
package import Membership
import Reputation
import Synchronization

extension SharedKnowledge {
    /// Takes what changed among the cluster's facts, this node's own among them.
    package func apply(_ changes: [FactChange]) {
        let now = clock()
        let (watcher, touched) = state.withLock { state in (state.watcher, state.apply(changes, now: now)) }
        if !touched.isEmpty { watcher?(touched) }
    }

    /// Takes orders that hold, verified by who brings them; lifted ones too. Those known already are passed over.
    package func apply(orders: [Order]) {
        let now = clock()
        let (watcher, touched) = state.withLock { state in
            (state.watcher, orders.flatMap { state.apply($0, now: now) })
        }
        if !touched.isEmpty { watcher?(touched) }
    }

    /// Has fingerprints looked at again after a while, although nothing was heard of them.
    func review(_ fingerprints: some Sequence<Fingerprint>, after delay: Duration) {
        let at = clock().uptime + delay
        state.withLock { $0.review(fingerprints, at: at) }
    }
}

extension SharedKnowledge.State {
    fileprivate mutating func apply(_ changes: [FactChange], now: ClockReading) -> [Fingerprint] {
        let revoked = revoked(now: now.wall)
        // What a node says whose word was taken back is not even counted.
        reputations.apply(
            revoked.isEmpty
                ? changes
                : changes.filter {
                    if case .said(let origin, _, _) = $0 { !revoked.contains(origin) } else { true }
                },
            now: now.uptime)
        var touched: [Fingerprint] = []
        for change in changes {
            switch change {
            case .said(let origin, let record, _): hear(record, from: origin, &touched)
            case .withdrawn(let origin, let key): withdraw(key, by: origin, &touched)
            case .forgotten(let origin):
                blocks.forget(origin)
                turnPage()
                // One that begins anew says it again in a moment; what it had held must not slip out until then.
                review(verdicts.forget(origin), at: now.uptime + settings.reviewDelay)
            }
        }
        return touched
    }

    private mutating func hear(_ record: FactRecord, from origin: NodeID, _ touched: inout [Fingerprint]) {
        guard let value = record.value else { return }
        switch record.key.kind {
        case BlockFact.description.kind:
            guard let subject = BlockFact.subject(record.key.subject) else { return }
            if let fact = BlockFact(octets: value) {
                blocks.set(KnownBlocks.Word(fact: fact, stamp: record.stamp), about: subject, by: origin)
            } else {
                blocks.remove(subject, by: origin)
            }
            turnPage()
        case VerdictFact.description.kind:
            guard let fingerprint = VerdictFact.subject(record.key.subject) else { return }
            if let fact = VerdictFact(octets: value) {
                let word = KnownVerdicts.Word(fact: fact, counter: record.counter, stamp: record.stamp)
                verdicts.set(word, about: fingerprint, by: origin)
            } else {
                _ = verdicts.remove(fingerprint, by: origin)
            }
            touched.append(fingerprint)
        default: break
        }
    }

    private mutating func withdraw(_ key: FactKey, by origin: NodeID, _ touched: inout [Fingerprint]) {
        switch key.kind {
        case BlockFact.description.kind:
            guard let subject = BlockFact.subject(key.subject) else { return }
            blocks.remove(subject, by: origin)
            turnPage()
        case VerdictFact.description.kind:
            guard let fingerprint = VerdictFact.subject(key.subject),
                verdicts.remove(fingerprint, by: origin)
            else { return }
            touched.append(fingerprint)
        default: break
        }
    }

    fileprivate mutating func apply(_ order: Order, now: ClockReading) -> [Fingerprint] {
        guard !(order.expires.map { $0 <= now.wall } ?? false) else { return [] }
        switch order.subject.kind {
        case .block:
            guard let subject = BlockSubject(octets: order.subject.octets) else { return [] }
            if blocks.set(order, about: subject) { turnPage() }
            return []
        case .verdict:
            guard let fingerprint = Fingerprint(octets: order.subject.octets),
                verdicts.set(order, about: fingerprint)
            else { return [] }
            return [fingerprint]
        case .revocation:
            guard let revocation = Revocation(subject: order.subject.octets, order.payload) else { return [] }
            switch revocation.subject {
            case .fingerprint(let fingerprint):
                return verdicts.set(revocation: order, of: fingerprint, covering: revocation.covered)
                    ? [fingerprint] : []
            case .origin(let origin): return apply(order, against: origin, now: now)
            }
        default: return []
        }
    }

    private mutating func apply(_ order: Order, against origin: NodeID, now: ClockReading) -> [Fingerprint] {
        if let held = revokedOrigins[origin], held.number >= order.number { return [] }
        revokedOrigins[origin] = order
        turnPage()
        if !order.isLifted { reputations.apply([.forgotten(origin)], now: now.uptime) }
        return verdicts.spoken(by: origin)
    }

    mutating func review(_ fingerprints: some Sequence<Fingerprint>, at moment: Uptime) {
        for fingerprint in fingerprints where reviews.count < Self.reviewsMost {
            reviews.append((moment, fingerprint))
        }
    }
}
