package import Convergence
package import Cryptography
package import MailValues

/// Facts on their way: what we say is signed and pushed, what others say is verified and applied, and what
/// was missed is asked for in rounds.
///
/// Nothing that a frame says is acted on before its origin's signature was seen to hold.
package struct Gossip: Sendable {
    package enum Action: Sendable, Equatable {
        /// The same to each: it needs to be written only once.
        case send(GossipMessage, to: [NodeID])
        /// Something is known now that was not, or no more.
        case changed([FactChange])
        /// A bearer sent what its origin did not say, or may not say.
        case refused(FactRefusal, bearer: NodeID)
    }

    package struct Statistics: Sendable, Equatable {
        package var said = 0
        package var signed = 0
        package var taken = 0
        package var known = 0
        package var refused = 0
        package var rounds = 0

        package init() {}
    }

    package private(set) var replica: Replica
    package private(set) var statistics = Statistics()
    private let cluster: ClusterID
    private let key: Ed25519PrivateKey
    private let settings: GossipSettings
    private var verifier: FactVerifier
    /// Whom we reach now.
    private var peers: [NodeID] = []
    /// Those of them whose round is still to come, the next one last. † All in turn, and not each time one by chance: what one
    /// peer hides another brings, after a time that has a bound.
    private var turns: [NodeID] = []
    /// What we hold of words that prove themselves.
    package var words: WordSums?
    /// Our urgent statements that are not pushed yet, by counter.
    private var urgent: [(counter: UInt64, key: FactKey)] = []
    private var sealedLast: Uptime?
    private var roundNext: Uptime
    /// Until then rounds follow each other closely: there was news, or a sign of some.
    private var stirredUntil: Uptime
    /// Our marks when we showed them last.
    private var summaryShown: UInt64?
    private var turn = 0
    /// Up to which of our statements each peer lacks nothing, as it showed last.
    package private(set) var known: [NodeID: Version] = [:]

    /// `key` is the node's identity, `incarnation` that of this start.
    package init(
        cluster: ClusterID, key: Ed25519PrivateKey, incarnation: UInt64, table: FactTable,
        settings: GossipSettings = GossipSettings(), now: Uptime
    ) {
        self.cluster = cluster
        self.key = key
        self.settings = settings
        replica = Replica(node: key.node, incarnation: incarnation, table: table)
        verifier = FactVerifier(cluster: cluster)
        roundNext = now
        stirredUntil = now + settings.stirredFor
    }

    /// When `tick` is wanted next.
    package var wakeUp: Uptime {
        guard !urgent.isEmpty, let sealedLast else { return roundNext }
        return min(roundNext, sealedLast + settings.sealInterval)
    }

    /// Signatures that were checked; for whoever asks where the time goes.
    package var signatureChecks: Int { verifier.checks }

    // MARK: The set of members

    /// Sets who is admitted: what others said is forgotten with them.
    package mutating func setMembers(_ members: Set<NodeID>, into actions: inout [Action]) {
        var changes: [FactChange] = []
        replica.setMembers(members, into: &changes)
        peers.removeAll { !members.contains($0) }
        turns.removeAll { !members.contains($0) }
        known = known.filter { members.contains($0.key) }
        tell(changes, into: &actions)
    }

    /// Sets whom we reach.
    package mutating func setPeers(_ peers: Set<NodeID>, now: Uptime) {
        let before = Set(self.peers)
        self.peers = peers.filter { replica.isMember($0) }.sorted()
        turns.removeAll { !peers.contains($0) }
        // Who is new, or was away, comes next.
        let new = self.peers.filter { !before.contains($0) }
        turns += new
        if !new.isEmpty { stir(now: now) }
    }

    /// There is news, or a sign that somebody lacks some: rounds follow each other closely for a while.
    package mutating func stir(now: Uptime) {
        stirredUntil = now + settings.stirredFor
        roundNext = min(roundNext, now + settings.roundInterval)
    }

    /// Sets up to which version each origin's own judgements count for nothing, by the operator's word; while an
    /// order binds whatever the origin may yet say, that is the highest version there is.
    package mutating func setRevoked(
        _ revoked: [NodeID: Version], now: Uptime, into actions: inout [Action]
    ) {
        var changes: [FactChange] = []
        replica.setRevoked(revoked, now: now, into: &changes)
        tell(changes, into: &actions)
    }

    /// Asks members how far they know us; their answers come into `known`, and who lacks something gets it.
    package func ask(_ nodes: [NodeID], into actions: inout [Action]) {
        // Who shows another sum than ours answers with its digest: so this one is nobody's.
        if !nodes.isEmpty { actions.append(.send(.summary(~replica.digest().summary), to: nodes)) }
    }

    private mutating func note(_ digest: FactDigest, of peer: NodeID) {
        guard let entry = digest.entries.first(where: { $0.origin == replica.node }) else { return }
        known[peer] = Version(incarnation: entry.incarnation, counter: entry.mark)
    }

    // MARK: Saying

    /// Says something: here at once, elsewhere when the batch is signed.
    package mutating func say<F: Fact>(
        _ fact: F, about subject: F.Subject, lifetime: Duration? = nil, now: ClockReading,
        into actions: inout [Action]
    ) throws(FactWriteError) {
        var changes: [FactChange] = []
        try replica.say(fact, about: subject, lifetime: lifetime, now: now, into: &changes)
        said(F.key(subject), changes, now: now, into: &actions)
    }

    /// Takes back what we said.
    package mutating func withdraw<F: Fact>(
        _: F.Type, about subject: F.Subject, now: ClockReading, into actions: inout [Action]
    ) {
        var changes: [FactChange] = []
        replica.withdraw(F.key(subject), now: now, into: &changes)
        guard !changes.isEmpty else { return }
        said(F.key(subject), changes, now: now, into: &actions)
    }

    private mutating func said(
        _ key: FactKey, _ changes: [FactChange], now: ClockReading, into actions: inout [Action]
    ) {
        statistics.said += 1
        stir(now: now.uptime)
        tell(changes, into: &actions)
        guard replica.table[key.kind]?.isUrgent == true,
            let version = replica.version(of: key, by: replica.node)
        else { return }
        urgent.append((version.counter, key))
        if now.uptime >= (sealedLast.map { $0 + settings.sealInterval } ?? now.uptime) {
            push(now: now.uptime, into: &actions)
        }
    }

    // MARK: Time

    /// To be called at `wakeUp`; earlier does no harm.
    package mutating func tick(
        now: ClockReading, using random: inout some RandomNumberGenerator, into actions: inout [Action]
    ) {
        let isSealDue = sealedLast.map { now.uptime >= $0 + settings.sealInterval } ?? true
        if !urgent.isEmpty, isSealDue { push(now: now.uptime, into: &actions) }
        guard now.uptime >= roundNext else { return }
        let interval = now.uptime < stirredUntil ? settings.roundInterval : settings.quietInterval
        roundNext = max(roundNext + interval, now.uptime)
        var changes: [FactChange] = []
        replica.expire(now: now.uptime, into: &changes)
        tell(changes, into: &actions)
        seal(now: now.uptime)
        if turns.isEmpty { turns = peers.shuffled(using: &random) }
        guard let peer = turns.popLast() else { return }
        statistics.rounds += 1
        turn = Int(random.next() & 0xFFFF)
        let digest = replica.digest()
        let summary = digest.summary
        // While nothing happens, a sum of eight octets says so.
        let isQuiet = summary == summaryShown
        summaryShown = summary
        let message =
            isQuiet
            ? GossipMessage.summary(summary, words: words) : .digest(digest, asks: true, words: words)
        actions.append(.send(message, to: [peer]))
    }

    private mutating func seal(now: Uptime) {
        while let unsealed = replica.unsealed(countLongest: FactSigning.batchCountLongest) {
            let (batch, paths) = FactSigning.close(
                unsealed, incarnation: replica.incarnation, cluster: cluster, key: key)
            replica.seal(unsealed, in: batch, paths: paths)
            statistics.signed += 1
            sealedLast = now
        }
    }

    private mutating func push(now: Uptime, into actions: inout [Action]) {
        seal(now: now)
        defer { urgent.removeAll(keepingCapacity: true) }
        guard !peers.isEmpty else { return }
        var frame: [TravellingFact] = []
        var octets = 0
        for (counter, key) in urgent {
            guard let fact = replica.own(counter, key: key, now: now) else { continue }  // superseded since
            frame.append(fact)
            octets += fact.record.sizeOctets + (fact.record.seal?.path.count ?? 0)
            guard octets >= settings.frameOctets else { continue }
            actions.append(.send(.push(frame), to: peers))
            (frame, octets) = ([], 0)
        }
        if !frame.isEmpty { actions.append(.send(.push(frame), to: peers)) }
    }

    // MARK: Hearing

    /// What a peer sent. `peer` is the member whose link it came by, not what the frame claims; `age` is how long
    /// the frame was on its way as far as anybody knows.
    package mutating func receive(
        _ message: GossipMessage, from peer: NodeID, age: Duration = .zero, now: ClockReading,
        into actions: inout [Action]
    ) {
        let age = age.wholeMilliseconds
        guard replica.isMember(peer) else { return refuse(.stranger, peer, into: &actions) }
        switch message {
        case .push(let facts):
            apply(pushed: facts.map { $0.older(by: age) }, from: peer, now: now, into: &actions)
        case .summary(let sum, _):
            let digest = replica.digest()
            guard digest.summary != sum else { return }
            stir(now: now.uptime)
            actions.append(.send(.digest(digest, asks: true), to: [peer]))
        case .digest(let digest, let asks, _):
            note(digest, of: peer)
            let (deltas, isCut) = replica.deltas(
                for: digest, octets: settings.frameOctets, turn: turn, now: now.uptime)
            if !deltas.isEmpty { actions.append(.send(.deltas(deltas, isCut: isCut), to: [peer])) }
            if asks, replica.lacks(digest) {
                actions.append(.send(.digest(replica.digest(), asks: false), to: [peer]))
            }
        case .deltas(let deltas, let isCut):
            let before = replica.marks
            for var delta in deltas {
                delta.facts = delta.facts.map { $0.older(by: age) }
                apply(delta, from: peer, now: now, into: &actions)
            }
            // Only who brought us further is asked for more: else two could ask each other for ever.
            if isCut, replica.marks != before {
                actions.append(.send(.digest(replica.digest(), asks: false), to: [peer]))
            }
        }
    }

    private mutating func apply(
        pushed facts: [TravellingFact], from peer: NodeID, now: ClockReading, into actions: inout [Action]
    ) {
        let (proven, _) = prove(facts, from: peer, into: &actions)
        var changes: [FactChange] = []
        let learnt = replica.apply(pushed: proven, now: now, into: &changes)
        if learnt.taken > 0 { stir(now: now.uptime) }
        count(learnt, from: peer, into: &actions)
        tell(changes, into: &actions)
    }

    private mutating func apply(
        _ delta: FactDelta, from peer: NodeID, now: ClockReading, into actions: inout [Action]
    ) {
        guard replica.isMember(delta.origin), delta.head.origin == delta.origin else {
            return refuse(.stranger, peer, into: &actions)
        }
        guard let head = verifier.signed(delta.head) else { return refuse(.signature, peer, into: &actions) }
        let (proven, isWhole) = prove(delta.facts, from: peer, into: &actions)
        guard isWhole, proven.allSatisfy({ $0.record.seal?.batch.origin == delta.origin }) else {
            // What is bent would be a hole in the range, so this range moves no mark.
            return apply(pushed: proven, from: peer, now: now, into: &actions)
        }
        var changes: [FactChange] = []
        let delta = FactDelta(
            origin: delta.origin, incarnation: delta.incarnation, from: delta.from, to: delta.to, head: head,
            facts: proven)
        let learnt = replica.apply(delta, now: now, into: &changes)
        if learnt.taken > 0 { stir(now: now.uptime) }
        count(learnt, from: peer, into: &actions)
        tell(changes, into: &actions)
    }

    /// The statements that are news and their origins' own, and whether none had to be refused.
    ///
    /// What could teach nothing is left out before it is proven: that spares the proof of all that a push
    /// brought already, and what is not proven is never applied.
    private mutating func prove(
        _ facts: [TravellingFact], from peer: NodeID, into actions: inout [Action]
    ) -> (proven: [TravellingFact], isWhole: Bool) {
        var proven: [TravellingFact] = []
        var isWhole = true
        proven.reserveCapacity(facts.count)
        proving: for fact in facts {
            guard let batch = fact.record.seal?.batch, replica.isMember(batch.origin) else {
                refuse(.stranger, peer, into: &actions)
                isWhole = false
                continue
            }
            guard replica.isNews(fact.record, of: batch) else {
                statistics.known += 1
                continue
            }
            switch verifier.proven(fact) {
            case .success(let fact): proven.append(fact)
            case .failure(let refusal):
                refuse(refusal, peer, into: &actions)
                isWhole = false
                // Its bearer did not prove it either, so it is broken or lies. Each further check would cost us what the
                // frame cost it nothing to write: ten thousand bad signatures fit into one.
                break proving
            }
        }
        return (proven, isWhole)
    }

    private mutating func count(_ learnt: Replica.Learnt, from peer: NodeID, into actions: inout [Action]) {
        statistics.taken += learnt.taken
        statistics.known += learnt.known
        for _ in 0..<learnt.foreign { refuse(.outdated, peer, into: &actions) }
        for _ in 0..<learnt.overBound { refuse(.overBound, peer, into: &actions) }
    }

    private mutating func refuse(_ refusal: FactRefusal, _ peer: NodeID, into actions: inout [Action]) {
        statistics.refused += 1
        let action = Action.refused(refusal, bearer: peer)
        // One line for a frame is enough, however much of it was wrong.
        if actions.last != action { actions.append(action) }
    }

    private func tell(_ changes: [FactChange], into actions: inout [Action]) {
        if !changes.isEmpty { actions.append(.changed(changes)) }
    }
}

extension TravellingFact {
    fileprivate func older(by age: Int64) -> TravellingFact {
        let (sum, isTooMuch) = self.age.addingReportingOverflow(max(0, age))
        return TravellingFact(record: record, age: isTooMuch ? .max : sum)
    }
}
