import Convergence
package import Filtering
package import MailValues
import Membership
package import Reputation
import Synchronization

/// An order as lists show it.
package struct KnownOrder: Sendable, Equatable {
    package var number: UInt64
    package var isLifted: Bool
    package var by: String
    package var reason: String
    package var expires: Timestamp?

    init(_ order: Order) {
        number = order.number
        isLifted = order.isLifted
        by = order.by
        reason = order.reason
        expires = order.expires
    }
}

/// A host or an account that somebody wants kept out.
package struct KnownBlock: Sendable, Equatable {
    package var subject: BlockSubject
    /// Nodes that say so by their own evidence, in order.
    package var origins: [NodeID]
    package var since: Timestamp?
    package var evidence: [String]
    package var order: KnownOrder?
    /// Where it is not acted upon.
    package var protection: Protection
    /// What this node does about it where the listener lets it.
    package var consequence: Standing.Consequence
}

/// What the configuration keeps of a subject from being blocked.
package enum Protection: Sendable, Equatable {
    case none
    /// It holds these networks.
    case partly([Network])
    /// It lies in these.
    case wholly([Network])
}

/// A campaign that somebody condemns, or the operator took back.
package struct KnownVerdict: Sendable, Equatable {
    package struct Word: Sendable, Equatable {
        package var origin: NodeID
        package var fact: VerdictFact
        /// The second part of its version.
        package var counter: UInt64
        /// Counts for nothing, by the operator's word.
        package var isRevoked: Bool
    }
    package var fingerprint: Fingerprint
    package var words: [Word]
    package var condemned: KnownOrder?
    package var revoked: KnownOrder?
    package var decision: VerdictDecision
}

/// What is thought of a network, an account or a domain, and by whom.
package struct KnownReputation: Sendable, Equatable {
    package struct Word: Sendable, Equatable {
        package var origin: NodeID
        package var counters: Counters
    }
    package var subject: ReputationSubject
    package var standing: Standing
    /// What all words come to.
    package var merged: Counters
    /// What this node counted, up to this moment.
    package var own: Counters?
    package var words: [Word]
}

extension SharedKnowledge {
    /// In order of their names.
    package func blocks() -> [KnownBlock] {
        let now = clock()
        return state.withLock { state in
            state.blocks.subjects.map { state.known($0, now: now.wall) }
        }.sorted { "\($0.subject)" < "\($1.subject)" }
    }

    package func block(_ subject: BlockSubject) -> KnownBlock? {
        let now = clock()
        return state.withLock { state in
            state.blocks.subjects.contains(subject) ? state.known(subject, now: now.wall) : nil
        }
    }

    /// In order of their names.
    package func verdicts() -> [KnownVerdict] {
        let now = clock()
        return state.withLock { state in
            state.verdicts.fingerprints.map { state.known($0, now: now.wall) }
        }.sorted { $0.fingerprint.octets.lexicographicallyPrecedes($1.fingerprint.octets) }
    }

    package func verdict(_ fingerprint: Fingerprint) -> KnownVerdict? {
        let now = clock()
        return state.withLock { state in
            state.verdicts.fingerprints.contains(fingerprint) ? state.known(fingerprint, now: now.wall) : nil
        }
    }

    /// What this node's configuration keeps of it from being blocked here.
    package func protection(of subject: BlockSubject) -> Protection {
        state.withLock { $0.protection(of: subject) }
    }

    package func reputation(of subject: ReputationSubject) -> KnownReputation {
        let now = clock().uptime
        return state.withLock { state in
            KnownReputation(
                subject: subject, standing: state.reputations.standing(of: subject, now: now),
                merged: state.reputations.merged(subject, now: now),
                own: state.reputations.observations.counters(of: subject, now: now),
                words: state.reputations.words(about: subject, now: now).map {
                    KnownReputation.Word(origin: $0.origin, counters: $0.counters)
                })
        }
    }

    /// Nodes whose word the operator took back.
    package func revokedOrigins() -> [(origin: NodeID, order: KnownOrder)] {
        let now = clock().wall
        let orders = state.withLock { state in
            let revoked = state.revoked(now: now)
            return state.revokedOrigins.filter { revoked.contains($0.key) }
        }
        return orders.map { (origin: $0.key, order: KnownOrder($0.value)) }.sorted { $0.origin < $1.origin }
    }
}

extension SharedKnowledge.State {
    func protection(of subject: BlockSubject) -> Protection {
        guard case .network(let network) = subject else { return .none }
        let around = settings.protected.all.filter {
            $0.prefixLength <= network.prefixLength && $0.contains(network.address)
        }
        guard around.isEmpty else { return .wholly(around) }
        let within = settings.protected.all.filter { network.contains($0.address) }
        return within.isEmpty ? .none : .partly(within)
    }

    fileprivate func known(_ subject: BlockSubject, now: Timestamp) -> KnownBlock {
        let view = blocks.view(subject, without: revoked(now: now))
        let order = blocks.order(subject, now: now)
        let protection = protection(of: subject)
        var isProtected = false
        if case .wholly = protection { isProtected = true }
        let decision = BlockDecision.decide(
            view, at: node, ordered: order.map { $0.isLifted ? .for : .against } ?? .nothing,
            isProtected: isProtected, follows: settings.follows)
        return KnownBlock(
            subject: subject, origins: view.origins.sorted(), since: view.since, evidence: view.evidence,
            order: order.map(KnownOrder.init), protection: protection,
            consequence: decision == .refuse ? .refuse : decision == .slowDown ? .slowDown : .none)
    }

    fileprivate func known(_ fingerprint: Fingerprint, now: Timestamp) -> KnownVerdict {
        let revoked = revoked(now: now)
        let (ordered, order) = verdicts.order(fingerprint, now: now)
        let words = (verdicts.words[fingerprint] ?? [:]).sorted { $0.key < $1.key }.map {
            KnownVerdict.Word(
                origin: $0.key, fact: $0.value.fact, counter: $0.value.counter,
                isRevoked: revoked.contains($0.key))
        }
        return KnownVerdict(
            fingerprint: fingerprint, words: words,
            condemned: ordered == .against ? order.map(KnownOrder.init) : nil,
            revoked: ordered == .revoked ? order.map(KnownOrder.init) : nil,
            decision: VerdictDecision.decide(
                verdicts.view(fingerprint, without: revoked), at: node, ordered: ordered))
    }
}
