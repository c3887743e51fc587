import Convergence
import Filtering
package import Intake
package import MailValues
import Membership
package import Reputation
import Synchronization

/// What intake hears.
extension SharedKnowledge: IntakeGate {
    package var edition: UInt64 { signs.edition.load(ordering: .acquiring) }

    package func opinion(of client: IPAddress) -> GateOpinion {
        let now = clock()
        return state.withLock { $0.opinion(of: client, now: now) }
    }

    package func opinion(ofAccount name: String) -> GateOpinion {
        let now = clock()
        return state.withLock { $0.opinion(ofAccount: name, now: now) }
    }

    package func opinion(of fingerprints: [Fingerprint]) -> VerdictOpinion {
        guard !fingerprints.isEmpty else { return .nothing }
        let now = clock()
        return state.withLock { $0.opinion(of: fingerprints, now: now.wall) }
    }

    package func count(_ kind: Counters.Kind, _ amount: Int, by sender: GateSender) {
        let now = clock()
        let sayer = state.withLock { $0.count(kind, amount, by: sender, now: now) }
        sayer.map { $0.sayer.say($0.fact, about: $0.subject, lifetime: $0.lifetime) }
    }
}

extension SharedKnowledge.State {
    typealias Announcement = (
        sayer: any FactSayer, fact: BlockFact, subject: BlockSubject, lifetime: Duration
    )

    // MARK: Clients and accounts

    func opinion(of client: IPAddress, now: ClockReading) -> GateOpinion {
        if settings.protected.contains(client) { return .nothing }
        let around = blocks.networks(around: client)
        // The narrowest order has the word: who releases a host in a blocked network means that host.
        for subject in around {
            guard let order = blocks.order(subject, now: now.wall) else { continue }
            return order.isLifted ? .nothing : GateOpinion(.refuse, .order)
        }
        let revoked = revoked(now: now.wall)
        var opinion = GateOpinion.nothing
        for subject in around { opinion = max(opinion, self.opinion(of: subject, revoked)) }
        guard !revoked.contains(node) else { return opinion }
        return max(opinion, reputation(reputations.standing(of: client, now: now.uptime)))
    }

    func opinion(ofAccount name: String, now: ClockReading) -> GateOpinion {
        let subject = BlockSubject.account(name)
        if let order = blocks.order(subject, now: now.wall) {
            return order.isLifted ? .nothing : GateOpinion(.refuse, .order)
        }
        let revoked = revoked(now: now.wall)
        let opinion = opinion(of: subject, revoked)
        guard !revoked.contains(node) else { return opinion }
        return max(opinion, reputation(reputations.standing(of: .account(name), now: now.uptime)))
    }

    private func opinion(of subject: BlockSubject, _ revoked: Set<NodeID>) -> GateOpinion {
        let view = blocks.view(subject, without: revoked)
        let decision = BlockDecision.decide(
            view, at: node, ordered: .nothing, isProtected: false, follows: settings.follows)
        let cause: GateOpinion.Cause =
            view.origins.contains(node) ? .own : view.origins.count > 1 ? .agreed : .word
        switch decision {
        case .none: return .nothing
        case .slowDown: return GateOpinion(.slowDown, cause)
        case .refuse: return GateOpinion(.refuse, cause)
        }
    }

    private func reputation(_ standing: Standing) -> GateOpinion {
        GateOpinion(standing.consequence, .reputation)
    }

    private func max(_ left: GateOpinion, _ right: GateOpinion) -> GateOpinion {
        right.consequence > left.consequence ? right : left
    }

    // MARK: Messages

    func opinion(of fingerprints: [Fingerprint], now: Timestamp) -> VerdictOpinion {
        var worst = VerdictOpinion.nothing
        let revoked = revoked(now: now)
        for fingerprint in fingerprints {
            let opinion = opinion(of: fingerprint, revoked, now: now)
            if opinion.decision > worst.decision { worst = opinion }
        }
        return worst
    }

    private func opinion(
        of fingerprint: Fingerprint, _ revoked: Set<NodeID>, now: Timestamp
    ) -> VerdictOpinion {
        guard !verdicts.isEmpty else { return .nothing }
        let (ordered, order) = verdicts.order(fingerprint, now: now)
        if ordered == .nothing && verdicts.words[fingerprint] == nil { return .nothing }
        let view = verdicts.view(fingerprint, without: revoked)
        let decision = VerdictDecision.decide(view, at: node, ordered: ordered)
        guard decision != .none else { return .nothing }
        let reason: String
        if ordered == .against, let order {
            reason = "condemned by \(order.by), order \(order.number): \(order.reason)"
        } else {
            let origins = view.origins.keys.sorted().prefix(4).map { $0 == node ? "this node" : "node \($0)" }
            reason = "a campaign, says \(origins.joined(separator: ", "))"
        }
        return VerdictOpinion(decision, fingerprint, isOrder: ordered == .against, reason: reason)
    }

    // MARK: Counting

    /// What follows, for the others to hear: nil mostly.
    fileprivate mutating func count(
        _ kind: Counters.Kind, _ amount: Int, by sender: GateSender, now: ClockReading
    ) -> Announcement? {
        let amount = Float(amount)
        // Anybody may try passwords on an account; that says nothing about its owner.
        if let account = sender.account, kind != .failedLogin {
            reputations.count(kind, of: .account(account), by: amount, now: now.uptime)
        }
        guard !settings.protected.contains(sender.client) else { return nil }
        reputations.count(kind, from: sender.client, by: amount, now: now.uptime)
        guard kind != .good else { return nil }
        return blockOnOwnEvidence(sender, now: now)
    }

    /// A host of which this node has seen enough is kept out for a while, and the others hear why.
    private mutating func blockOnOwnEvidence(_ sender: GateSender, now: ClockReading) -> Announcement? {
        let narrow = ReputationSubject.networks(of: sender.client).narrow
        let subject = BlockSubject.network(narrow)
        guard blocks.words[subject]?[node] == nil, blocks.order(subject, now: now.wall) == nil,
            reputations.standing(of: .network(narrow), now: now.uptime).isOwnEvidence
        else { return nil }
        let fact = BlockFact(
            evidence: ["session \(sender.session) at \(sender.listener.prefix(32))"], since: now.wall)
        let sayer = observe(fact, about: subject, lifetime: settings.blockLifetime, now: now)
        return sayer.map { ($0, fact, subject, settings.blockLifetime) }
    }
}
