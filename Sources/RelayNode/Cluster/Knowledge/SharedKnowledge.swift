package import Convergence
package import Filtering
package import MailValues
import Membership
package import Reputation
import Synchronization

/// Where this node's own words go; without one they stay here.
package protocol FactSayer: Sendable {
    /// Says it to all others, by and by: nobody waits.
    func say<F: Fact>(_ fact: F, about subject: F.Subject, lifetime: Duration?)
}

/// What this node knows about the world: what it counted and saw itself, what others say, and what the operator
/// ordered. A node in no cluster knows the first of these.
///
/// All lanes ask it and the cluster's service feeds it, so it answers under one lock that is held for a few
/// look-ups.
package final class SharedKnowledge: Sendable {
    package struct Settings: Sendable, Equatable {
        /// Never slowed down nor refused, not even by order: a slip there cuts off one's own house.
        package var protected = NetworkSet()
        /// Whether what others agree on is followed.
        package var follows = true
        package var observations = Observations.Settings()
        /// How long this node keeps a host out by its own evidence.
        package var blockLifetime: Duration = .seconds(24 * 3600)
        /// How long what a verdict holds stays held although its origin is gone: one that begins anew will say
        /// it again.
        package var reviewDelay: Duration = .seconds(60)

        package init() {}
    }

    struct State: Sendable {
        var node: NodeID
        var settings: Settings
        var reputations: Reputations
        var blocks = KnownBlocks()
        var verdicts = KnownVerdicts()
        /// By node: the operator's word that what it says counts for nothing.
        var revokedOrigins: [NodeID: Order] = [:]
        let signs = Signs()
        var isInCluster = false
        var sayer: (any FactSayer)?
        /// Told of each fingerprint of which something changed.
        var watcher: (@Sendable ([Fingerprint]) -> Void)?
        /// What is to be looked at again, and when.
        var reviews: [(at: Uptime, fingerprint: Fingerprint)] = []

        mutating func turnPage() { signs.edition.wrappingAdd(1, ordering: .releasing) }

        static let reviewsMost = 65_536

        func revoked(now: Timestamp) -> Set<NodeID> {
            guard !revokedOrigins.isEmpty else { return [] }
            return Set(
                revokedOrigins.filter {
                    !$0.value.isLifted && !($0.value.expires.map { $0 <= now } ?? false)
                }.keys)
        }
    }

    /// What is asked for each message, and so without the lock.
    final class Signs: Sendable {
        let edition = Atomic<UInt64>(1)
    }

    let signs: Signs
    let clock: @Sendable () -> ClockReading
    let state: Mutex<State>

    /// - Parameter node: who this node is; for one in no cluster, any id.
    package init(
        node: NodeID, settings: Settings = Settings(), clock: @escaping @Sendable () -> ClockReading
    ) {
        self.clock = clock
        let state = State(
            node: node, settings: settings,
            reputations: Reputations(node: node, settings: settings.observations))
        signs = state.signs
        self.state = Mutex(state)
    }

    /// New settings from now on; how much is remembered is fixed at the start.
    package func adopt(_ settings: Settings) {
        state.withLock {
            $0.settings = settings
            $0.turnPage()
        }
    }

    /// This node is a member, by this name, and has somebody to say its words to the others; what it holds against hosts
    /// and accounts is said at once. Said again at each beginning, since all that was said before is void then.
    package func join(as node: NodeID, sayer: any FactSayer) {
        let now = clock().uptime
        let words: [(subject: BlockSubject, fact: BlockFact, lifetime: Duration)] = state.withLock { state in
            if state.node != node {
                state.blocks.rename(state.node, to: node)
                state.verdicts.rename(state.node, to: node)
                state.reputations.become(node)
                state.node = node
            }
            state.isInCluster = true
            state.sayer = sayer
            state.turnPage()
            return state.blocks.words.compactMap { subject, said in
                guard let word = said[node], let until = word.until, until > now else { return nil }
                return (subject, word.fact, until - now)
            }
        }
        for word in words { sayer.say(word.fact, about: word.subject, lifetime: word.lifetime) }
    }

    /// Who is told of each fingerprint of which something changed; one at a time.
    package func watchVerdicts(_ watcher: @escaping @Sendable ([Fingerprint]) -> Void) {
        state.withLock { $0.watcher = watcher }
    }

    // MARK: Own observations

    /// What this node counted and should say to the others now.
    package func dueFacts() -> [(subject: ReputationSubject, fact: ReputationFact)] {
        let now = clock().uptime
        return state.withLock { $0.reputations.due(now: now) }
    }

    /// This node's own evidence against a host or an account, told to the others.
    package func observe(_ fact: BlockFact, about subject: BlockSubject, lifetime: Duration) {
        let now = clock()
        let sayer = state.withLock { $0.observe(fact, about: subject, lifetime: lifetime, now: now) }
        sayer?.say(fact, about: subject, lifetime: lifetime)
    }

    /// This node's own verdict on a campaign, told to the others.
    package func observe(_ fact: VerdictFact, about fingerprint: Fingerprint, lifetime: Duration) {
        let now = clock()
        let (sayer, watcher) = state.withLock { state in
            let isFull =
                state.verdicts.words[fingerprint] == nil
                && state.verdicts.words.count >= KnownVerdicts.ownWordsMost
            if !isFull || state.isInCluster {
                let word = KnownVerdicts.Word(
                    fact: fact, counter: 0, stamp: now.wall, until: now.uptime + lifetime)
                state.verdicts.set(word, about: fingerprint, by: state.node)
            }
            return (state.sayer, state.watcher)
        }
        sayer?.say(fact, about: fingerprint, lifetime: lifetime)
        watcher?([fingerprint])
    }

    // MARK: Time

    /// Ends what is over, and has looked at again what was put off; once a second is often enough.
    package func tick() {
        let now = clock()
        let (watcher, changed) = state.withLock { state in (state.watcher, state.tick(now: now)) }
        if !changed.isEmpty { watcher?(changed) }
    }
}

extension SharedKnowledge.State {
    mutating func observe(
        _ fact: BlockFact, about subject: BlockSubject, lifetime: Duration, now: ClockReading
    ) -> (any FactSayer)? {
        guard blocks.words[subject] != nil || blocks.words.count < KnownBlocks.ownWordsMost || isInCluster
        else { return nil }
        let word = KnownBlocks.Word(fact: fact, stamp: now.wall, until: now.uptime + lifetime)
        blocks.set(word, about: subject, by: node)
        turnPage()
        return sayer
    }

    fileprivate mutating func tick(now: ClockReading) -> [Fingerprint] {
        var changed = verdicts.prune(node: node, now: now)
        if blocks.prune(node: node, now: now) { turnPage() }
        for (origin, order) in revokedOrigins where order.expires.map({ $0 <= now.wall }) ?? false {
            revokedOrigins[origin] = nil
            changed += verdicts.spoken(by: origin)
            turnPage()
        }
        if !reviews.isEmpty {
            changed += reviews.filter { $0.at <= now.uptime }.map(\.fingerprint)
            reviews.removeAll { $0.at <= now.uptime }
        }
        return changed
    }
}
