package import MailValues

/// The failure detector of one node: SWIM (Das, Gupta, Motivala 2002) with Lifeguard's corrections (Dadgar,
/// Phillips, Currey 2018), over ordered links.
///
/// One member is probed at a time, in an order shuffled anew each round. Silence makes it suspect, suspicion that
/// nobody contradicts makes it dead, and whoever is wrongly suspected contradicts by a higher number.
package struct Detector: Sendable {
    package let node: NodeID
    package let settings: DetectorSettings
    /// Of this start. It changes only where others saw a later one.
    package private(set) var incarnation: UInt64
    package let nonce: UInt64
    package internal(set) var refutation: UInt32 = 0
    /// What this node says of itself.
    package internal(set) var ownState: MemberState
    /// Lifeguard's local health: 0 is good, and each step makes our own waits one time longer.
    package internal(set) var health = 0
    /// When `handle(.tick)` is wanted next.
    package internal(set) var wake: Uptime

    var members: [Member] = []
    var places: [NodeID: Int] = [:]
    /// Places in the order of probing, and how far this round has come.
    var round: [Int] = []
    var roundCursor = 0
    var deadCursor = 0
    var waiting: [Waiting] = []
    var suspects: [NodeID] = []
    var deadCount = 0
    var rumours = Rumours()
    /// Digest of what is believed of all, kept up with each change.
    var view: UInt64 = 0
    var lastNumber: UInt32 = 0
    var nextProbe: Uptime
    var nextDeadProbe: Uptime
    var nextSync: Uptime
    var parkedRemaining: Duration?
    /// The moment of the event that is being handled.
    var clock: Uptime
    /// Members that said we are the clone.
    var clonedWords: Set<NodeID> = []
    /// Members that said another is the clone of us.
    var cloneWords: Set<NodeID> = []
    /// What single members say of others, beyond what these said themselves.
    var hearsay = Hearsay()
    /// Members that say they saw a later start of ours, or another process with our number: which, and whether it is alive.
    var laterWords: [NodeID: (incarnation: UInt64, isAlive: Bool)] = [:]

    /// One member, as seen from here.
    struct Member: Sendable {
        var claim: Claim
        /// Of its start, 0 while we only know it from others.
        var nonce: UInt64 = 0
        var heard: Uptime?
        /// A probe of ours stayed without an answer, and nothing was heard since.
        var unansweredSince: Uptime?
        var refusedSince: Uptime?
        var refusalQuietUntil = Uptime.start
        var parkedUntil: Uptime?
        var suspicion: Suspicion?
        var toldAt: Uptime?
        /// Since when frames of an older start come beside those of this one.
        var elderSince: Uptime?
        /// Processes with its key that ask what we saw of it, the newest, and since when each does.
        var askers: [(nonce: UInt64, since: Uptime)] = []
        /// The nonces of those that asked while it went on speaking.
        var copies: [UInt64] = []
    }

    struct Suspicion: Sendable {
        var began: Uptime
        var accusers: [NodeID]
        var wasAsked = false
        var timeout: Duration
    }

    /// A probe without an answer yet.
    struct Waiting: Sendable {
        enum Stage: Sendable, Equatable {
            case direct
            case indirect(nacksMissing: Int)
            /// Its connections are refused; helpers were asked whether they reach it.
            case refused
            case helping(asker: NodeID, number: UInt32)
        }

        let number: UInt32
        let target: NodeID
        let sent: Uptime
        var stage: Stage
        var deadline: Uptime
    }

    package enum Event: Sendable {
        case tick
        case received(ProbeMessage, from: Sender, age: Duration)
        case linkUp(NodeID)
        case linkRefused(NodeID)
        /// The admitted set, with the last incarnation that the store knows of each (0: none). Who is missing was
        /// evicted.
        case admitted([NodeID: UInt64])
        /// What this node now is: alive, draining, parked for a while, or left.
        case declare(MemberState, within: Duration?)
        /// Heard in an earlier life of this node: it counts, and is told, as if heard now.
        case recalled([Claim])
        /// The member has signed something in this incarnation, whoever brought it: so it has started that often.
        case proven(NodeID, incarnation: UInt64)
    }

    package enum Action: Equatable, Sendable {
        case send(ProbeMessage, to: NodeID)
        case changed(NodeID, from: MemberState, to: MemberState)
        /// Before any later action: this incarnation must survive the process.
        case persist(incarnation: UInt64)
        /// Others saw a later start than the store knows: it is old, and nothing may be delivered from it until
        /// ids were compared.
        case storeIsOld(seen: UInt64)
        /// Another process has this node's key and was there first: end.
        case stopCloned
        /// A process with this node's key started after this one; it was told to end.
        case cloneSeen
    }

    package init(
        node: NodeID, incarnation: UInt64, nonce: UInt64, settings: DetectorSettings = DetectorSettings(),
        now: Uptime
    ) {
        precondition(nonce != 0, "nonce 0 says that none is known")
        self.node = node
        self.incarnation = incarnation
        self.nonce = nonce
        self.settings = settings
        ownState = .alive
        nextProbe = now
        nextDeadProbe = now + settings.deadProbeInterval
        nextSync = now
        wake = now
        clock = now
    }

    /// What every frame of this node says of its sender.
    package var sender: Sender {
        Sender(node: node, incarnation: incarnation, nonce: nonce, refutation: refutation, state: ownState)
    }

    /// What is believed of a member; nil if it is not admitted.
    package func state(of member: NodeID) -> MemberState? {
        if member == node { return ownState }
        return places[member].map { members[$0].claim.state }
    }

    /// How often a member has started, as far as is believed; nil if it is not admitted.
    func incarnation(of member: NodeID) -> UInt64? { places[member].map { members[$0].claim.incarnation } }

    /// What is believed of every other member.
    package var claims: [Claim] { members.map(\.claim) }

    /// How many things are kept in mind for a while: probes, rumours, accusers.
    package var burden: Int {
        waiting.count + rumours.count + hearsay.count + laterWords.count
            + suspects.reduce(0) { sum, suspect in
                sum + (places[suspect].flatMap { members[$0].suspicion?.accusers.count } ?? 0)
            }
    }

    /// Since when nothing came from the member itself; nil if nothing ever did since this node's start.
    package func heard(_ member: NodeID) -> Uptime? { places[member].flatMap { members[$0].heard } }

    package mutating func handle(
        _ event: Event, now: Uptime, using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        clock = now
        forgiveOwnStall(now)
        switch event {
        case .tick: runTimers(now, &random, &actions)
        case .received(let message, let sender, let age):
            receive(message, from: sender, age: age, now, &random, &actions)
        case .linkUp(let peer): linkUp(peer, now, &actions)
        case .linkRefused(let peer): linkRefused(peer, now, &random, &actions)
        case .admitted(let all): admit(all, now, &random, &actions)
        case .declare(let state, let within): declare(state, within, now, &actions)
        case .recalled(let claims):
            for claim in claims where claim.node != node {
                apply(claim, now, &random, &actions)
            }
        case .proven(let node, let incarnation): prove(node, incarnation, now, &random, &actions)
        }
        wake = nextDeadline()
    }

    // MARK: Members

    private mutating func admit(
        _ all: [NodeID: UInt64], _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        for member in members where all[member.claim.node] == nil {
            let gone = member.claim.node
            waiting.removeAll { $0.target == gone }
            suspects.removeAll { $0 == gone }
            rumours.forget(gone)
            hearsay.forget(gone)
            laterWords[gone] = nil
            clonedWords.remove(gone)
            cloneWords.remove(gone)
        }
        members.removeAll { all[$0.claim.node] == nil }
        let known = Set(members.map(\.claim.node))
        for (newcomer, incarnation) in all.sorted(by: { $0.key < $1.key })
        where newcomer != node && !known.contains(newcomer) {
            // One that the store knows was there: silence may count against it. One that never spoke joins.
            let state: MemberState = incarnation == 0 ? .joining : .alive
            members.append(
                Member(claim: Claim(node: newcomer, incarnation: incarnation, state: state)))
        }
        places = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.claim.node, $0) })
        deadCount = members.count { $0.claim.state == .dead || $0.claim.state == .left }
        view = members.reduce(Self.digest(ownClaim)) { $0 ^ Self.digest($1.claim) }
        round = Array(members.indices)
        round.shuffle(using: &random)
        roundCursor = 0
        deadCursor = 0
    }

    /// Waits that passed while this process did not run say nothing about others (Lifeguard's first concern).
    private mutating func forgiveOwnStall(_ now: Uptime) {
        guard !settings.omitted.contains(.ownStallIsForgiven), now > wake + settings.stallShortest else {
            return
        }
        let away = now - wake
        for index in waiting.indices { waiting[index].deadline = waiting[index].deadline + away }
        for suspect in suspects {
            guard let place = places[suspect], let began = members[place].suspicion?.began else { continue }
            members[place].suspicion?.began = began + away
        }
        nextProbe = max(nextProbe, now)
        worsenHealth(by: 1)
        wake = now
    }

    mutating func worsenHealth(by steps: Int) {
        health = min(max(health + steps, 0), settings.healthMultiplierHighest - 1)
    }

    /// A wait of ours, longer in bad health.
    func own(_ wait: Duration) -> Duration { health == 0 ? wait : wait * (health + 1) }

    mutating func restart(as incarnation: UInt64) {
        laterWords = [:]
        changeOwnClaim {
            $0.incarnation = incarnation
            $0.refutation = 0
        }
    }

    // MARK: Own word

    var ownClaim: Claim {
        Claim(
            node: node, incarnation: incarnation, refutation: refutation, state: ownState,
            remaining: ownState == .parked ? parkedRemaining : nil)
    }

    mutating func changeOwnClaim(_ change: (inout Detector) -> Void) {
        view ^= Self.digest(ownClaim)
        change(&self)
        view ^= Self.digest(ownClaim)
    }

    private mutating func declare(
        _ state: MemberState, _ within: Duration?, _ now: Uptime, _ actions: inout [Action]
    ) {
        precondition(!state.isJudgement && state != .joining, "a node says of itself what it does")
        guard state != ownState else { return }
        let before = ownState
        changeOwnClaim {
            $0.parkedRemaining = within
            $0.ownState = state
            $0.refutation += 1
        }
        actions.append(.changed(node, from: before, to: state))
        rumours.add(ownClaim)
        // Rare, and said to everybody: who goes cannot repeat it.
        for member in members where member.claim.state.isPresent {
            actions.append(.send(.rumours([ownClaim]), to: member.claim.node))
        }
    }

    /// A claim's part of the view. Suspicion is left out: it comes and goes faster than views are compared.
    static func digest(_ claim: Claim) -> UInt64 {
        let state: MemberState = claim.state == .suspect || claim.state == .joining ? .alive : claim.state
        guard claim.incarnation > 0 else { return 0 }
        var mixed = claim.node.word ^ (claim.incarnation &* 0x9E37_79B9_7F4A_7C15)
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed ^= UInt64(claim.refutation) << 8 | UInt64(state.rawValue)
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
