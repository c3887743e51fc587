package import Convergence
package import Cryptography
package import MailValues

/// One node's part in the cluster: its start, then its failure detector and its facts, and who may be heard at all.
///
/// The node drives it with real links and real time, the simulation with made-up ones. Frames arrive decoded, with
/// the member to whom the link belongs; what is to be sent leaves without its header, which `frame(_:)` adds.
package struct ClusterMachine: Sendable {
    package enum Event: Sendable {
        case tick
        /// `from` is the member to whom the link's key belongs, whatever the frame claims.
        case frame(Frame, from: NodeID, age: Duration)
        case linkUp(NodeID)
        case linkDown(NodeID)
        /// The machine answers and the process is gone.
        case linkRefused(NodeID)
        /// The member will not have our key.
        case turnedAway(NodeID)
        /// The admitted set, with the last incarnation that the store knows of each (0: none).
        case admitted([NodeID: UInt64])
        case declare(MemberState, within: Duration?)
        /// What members that left had said last, as the store remembers it; after `started`.
        case recalled([Claim])
    }

    package enum Action: Sendable, Equatable {
        case send(Frame.Body, to: NodeID)
        case changed(NodeID, from: MemberState, to: MemberState)
        /// To be synced before any later action is carried out.
        case persist(incarnation: UInt64)
        /// The node has its incarnation and speaks. `storeIsOld`: deliver nothing until ids were compared.
        case started(incarnation: UInt64, storeIsOld: Bool)
        /// Found out later: others saw a later start than this one. The node goes on with a new incarnation.
        case storeIsOld(seen: UInt64)
        /// Another process has this node's key and was first: say so, and end.
        case stopCloned
        /// A process with this node's key started after this one.
        case cloneSeen
        /// Two members will not have our key: we were evicted while we were away. Deliver nothing, and say so.
        case evicted
        case refused(FrameRefusal, from: NodeID)
        /// The same to each, so that it needs to be written only once.
        case broadcast(Frame.Body, to: [NodeID])
        /// Something is known now that was not, or no more.
        case facts([FactChange])
        /// A member brought what its origin did not say, or may not say.
        case factRefused(FactRefusal, bearer: NodeID)
        /// A member brought words that we did not know; each was seen to prove itself.
        case words([Word], bearer: NodeID)
        /// A member brought words that prove nothing.
        case wordRefused(bearer: NodeID)
        /// A member that is not where we knew it says where it is.
        case moved(NodeID, to: LinkContact)
    }

    package let cluster: ClusterID
    package var node: NodeID { key.node }
    private let key: Ed25519PrivateKey
    package let nonce: UInt64
    private let settings: DetectorSettings
    private let contact: LinkContact?
    private let contactUntil: Uptime
    private let absent: Set<NodeID>
    /// While the node looks for its incarnation; from then on `detector` is there instead.
    private var inquiry: StartInquiry?
    /// Nil while the node has not found its incarnation.
    package private(set) var detector: Detector?
    /// What others say, and what we say; nil until this node has its incarnation, or where no facts are carried.
    package private(set) var gossip: Gossip?
    /// What members hold of words that prove themselves is compared with this; nil where there are none.
    package private(set) var exchange: WordExchange?
    private let table: FactTable?
    private let gossipSettings: GossipSettings
    private var arePeersNew = false
    private var revoked: [NodeID: Version] = [:]
    private var gossipActions: [Gossip.Action] = []
    private var admitted: [NodeID: UInt64]
    private var linked: Set<NodeID> = []
    private var turnedAwayBy: Set<NodeID> = []
    /// Since when enough members have turned us away that we may have been evicted.
    private var turnedAwaySince: Uptime?
    /// A link that is turned away once may have met its peer between two keys: it is tried again meanwhile.
    package static let turnedAwayLeast: Duration = .seconds(3)
    private var detectorActions: [Detector.Action] = []

    /// `key` is the node's identity; `stored` is the incarnation that the store has, 0 if none; `nonce` is drawn
    /// anew for each start. Without a table no facts are carried: for simulations of detection alone. `words` are what the
    /// node believes already.
    package init(
        cluster: ClusterID, key: Ed25519PrivateKey, stored: UInt64, nonce: UInt64,
        admitted: [NodeID: UInt64], facts table: FactTable?, words: WordBook? = nil,
        wordSettings: WordSettings = WordSettings(),
        gossipSettings: GossipSettings = GossipSettings(), settings: DetectorSettings = DetectorSettings(),
        startSettings: StartInquiry.Settings = StartInquiry.Settings(), now: Uptime
    ) {
        self.cluster = cluster
        self.key = key
        self.table = table
        exchange = words.map { WordExchange($0, settings: wordSettings) }
        self.gossipSettings = gossipSettings
        self.nonce = nonce
        self.settings = settings
        contact = startSettings.contact
        contactUntil = now + Self.contactLongest
        absent = startSettings.absent
        self.admitted = admitted
        let others = Set(admitted.keys).subtracting([key.node])
        inquiry = StartInquiry(stored: stored, others: others, settings: startSettings, now: now)
    }

    /// When `handle(.tick)` is wanted next.
    package var wake: Uptime {
        var wake = detector?.wake ?? inquiry?.wake ?? .start
        if detector != nil, let gossip { wake = min(wake, gossip.wakeUp) }
        guard let turnedAwaySince else { return wake }
        return min(wake, turnedAwaySince + Self.turnedAwayLeast)
    }

    /// What the cluster looks like from here; a node that starts knows nothing yet.
    package func state(of member: NodeID) -> MemberState? {
        guard let detector else { return admitted[member] == nil ? nil : .joining }
        return detector.state(of: member)
    }

    /// The node has begun to ask, reaches members, and hears none of them.
    package var isDeaf: Bool { inquiry?.isDeaf ?? false }

    package var sender: Sender {
        detector?.sender ?? Sender(node: node, incarnation: 0, nonce: nonce, state: .joining)
    }

    package func frame(_ body: Frame.Body) -> Frame { Frame(cluster: cluster, sender: sender, body: body) }

    package mutating func handle(
        _ event: Event, now clock: ClockReading, using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        let now = clock.uptime
        switch event {
        case .tick:
            link(.tick, inquiry: .tick, now, &random, &actions)
            if let gossip, gossip.wakeUp <= now { gossipTick(clock, &random, &actions) }
            judgeTurningAway(now, &actions)
        case .frame(let frame, let peer, let age):
            if let refusal = refusal(of: frame, from: peer) {
                actions.append(.refused(refusal, from: peer))
            } else {
                turnedAwayBy.remove(peer)
                receive(frame, age: age + frame.age, clock, &random, &actions)
            }
        case .linkUp(let peer):
            linked.insert(peer)
            turnedAwayBy.remove(peer)
            arePeersNew = true
            gossip?.stir(now: now)
            link(.linkUp(peer), inquiry: .linkUp(peer), now, &random, &actions)
        case .linkDown(let peer):
            linked.remove(peer)
            exchange?.lose(peer)
            arePeersNew = true
            if detector == nil { inquire(.linkDown(peer), now, &random, &actions) }
        case .linkRefused(let peer): link(.linkRefused(peer), inquiry: nil, now, &random, &actions)
        case .turnedAway(let peer): turnedAway(by: peer, now)
        case .admitted(let all):
            admitted = all
            link(.admitted(all), inquiry: nil, now, &random, &actions)
            exchange?.forget { all[$0] == nil }
            gossip?.setMembers(Set(all.keys), into: &gossipActions)
            carryOut(&actions)
            arePeersNew = true
        case .declare(let state, let within):
            link(.declare(state, within: within), inquiry: nil, now, &random, &actions)
        case .recalled(let claims): link(.recalled(claims), inquiry: nil, now, &random, &actions)
        }
    }

    // MARK: Who is heard

    private func refusal(of frame: Frame, from peer: NodeID) -> FrameRefusal? {
        if frame.cluster != cluster { return .otherCluster }
        if frame.sender.node != peer { return .otherName }
        if admitted[peer] == nil { return .stranger }
        if peer == node { return .ourselves }
        return nil
    }

    /// One member that was taken over, or that has an old list, must not make a node believe it was evicted.
    private mutating func turnedAway(by peer: NodeID, _ now: Uptime) {
        guard admitted[peer] != nil, turnedAwayBy.insert(peer).inserted else { return }
        if turnedAwayBy.count >= turningAwayLeast { turnedAwaySince = turnedAwaySince ?? now }
    }

    /// Two members, or the only one that has not left.
    private var turningAwayLeast: Int {
        let others = admitted.keys.count { other in
            other != node && (detector == nil ? !absent.contains(other) : state(of: other) != .left)
        }
        return max(1, min(2, others))
    }

    private mutating func judgeTurningAway(_ now: Uptime, _ actions: inout [Action]) {
        guard let since = turnedAwaySince else { return }
        guard turnedAwayBy.count >= turningAwayLeast else {
            turnedAwaySince = nil
            return
        }
        guard now >= since + Self.turnedAwayLeast else { return }
        // † One that lies can turn us away, and one whom it deceived: a newcomer that was not told of us. Where two have us, one
        // of them at least is neither; and they let go of us as soon as they hear that we are out.
        guard linked.subtracting(turnedAwayBy).count < 2 else {
            turnedAwaySince = now
            return
        }
        turnedAwaySince = nil
        actions.append(.evicted)
    }

    // MARK: Phases

    private mutating func receive(
        _ frame: Frame, age: Duration, _ clock: ClockReading,
        _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        let now = clock.uptime
        let peer = frame.sender.node
        if case .words(let message) = frame.body { return hear(message, from: peer, clock, &actions) }
        if case .facts(let message) = frame.body {
            if let words = message.words { exchange?.hear(words, from: peer, now: clock) }
            gossip?.receive(message, from: peer, age: age, now: clock, into: &gossipActions)
            let proven = provenStarts()
            carryOut(&actions)
            for (origin, incarnation) in proven {
                run(.proven(origin, incarnation: incarnation), now, &random, &actions)
            }
            return
        }
        if case .contact(let contact) = frame.body, mayHaveMoved(frame.sender) {
            actions.append(.moved(peer, to: contact))
        }
        guard case .probing(let message) = frame.body else { return }
        guard detector == nil else {
            return run(.received(message, from: frame.sender, age: age), now, &random, &actions)
        }
        switch message {
        case .lastSeen(let seen): inquire(.answer(seen, from: peer), now, &random, &actions)
        case .askLastSeen:
            // All may be starting at once: what the store knows is an answer.
            let known = LastSeen(
                incarnation: admitted[peer] ?? 0, nonce: 0, refutation: 0, state: .joining, heardAgo: nil)
            actions.append(.send(.probing(.lastSeen(known)), to: peer))
        case .probe, .ack, .ask, .relayedAck, .nack, .rumours, .sync, .cloned: break
        }
    }

    /// † Whether a member's word that it is elsewhere is heeded: not while it is where we know it, or a copy of its machine would
    /// draw the links to itself. There its key is demanded, so a link that stands is to it. A copy that asked meanwhile is not
    /// heeded later either, when the member is started anew.
    private func mayHaveMoved(_ sender: Sender) -> Bool {
        !linked.contains(sender.node) && state(of: sender.node)?.isPresent != true
            && detector?.isCopy(sender) != true
    }

    /// How long a start says where it is. Who is not heard for so long may be a copy, and is not to come in when the member is
    /// away for a moment: where it is none, another start helps.
    package static let contactLongest: Duration = .seconds(60)

    /// Hands the event to the machine of this phase.
    private mutating func link(
        _ event: Detector.Event, inquiry asked: StartInquiry.Event?, _ now: Uptime,
        _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        if detector != nil {
            run(event, now, &random, &actions)
        } else if let asked {
            inquire(asked, now, &random, &actions)
        }
    }

    private mutating func inquire(
        _ event: StartInquiry.Event, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        for action in inquiry?.handle(event, now: now) ?? [] {
            switch action {
            case .ask(let peer):
                if let contact, now < contactUntil { actions.append(.send(.contact(contact), to: peer)) }
                actions.append(.send(.probing(.askLastSeen), to: peer))
            case .stopCloned: actions.append(.stopCloned)
            case .start(let incarnation, let isOld): start(incarnation, isOld, now, &random, &actions)
            }
        }
    }

    private mutating func start(
        _ incarnation: UInt64, _ storeIsOld: Bool, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        actions.append(.persist(incarnation: incarnation))
        actions.append(.started(incarnation: incarnation, storeIsOld: storeIsOld))
        inquiry = nil
        detector = Detector(node: node, incarnation: incarnation, nonce: nonce, settings: settings, now: now)
        speak(as: incarnation, now, &actions)
        run(.admitted(admitted), now, &random, &actions)
        for peer in linked.sorted() { run(.linkUp(peer), now, &random, &actions) }
    }

    private mutating func run(
        _ event: Detector.Event, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        detector?.handle(event, now: now, using: &random, into: &detectorActions)
        for action in detectorActions {
            actions.append(Action(action))
            switch action {
            case .changed: arePeersNew = true
            case .storeIsOld(let seen): speak(as: seen + 1, now, &actions)
            case .send, .persist, .stopCloned, .cloneSeen: break
            }
        }
        detectorActions.removeAll(keepingCapacity: true)
    }
}

// MARK: Facts

extension ClusterMachine {
    /// Says something, here at once and elsewhere soon.
    package mutating func say<F: Fact>(
        _ fact: F, about subject: F.Subject, lifetime: Duration? = nil, now: ClockReading,
        into actions: inout [Action]
    ) throws(FactWriteError) {
        tellPeers(now.uptime)
        defer { carryOut(&actions) }
        try gossip?.say(fact, about: subject, lifetime: lifetime, now: now, into: &gossipActions)
    }

    /// Takes back what this node said.
    package mutating func withdraw<F: Fact>(
        _ kind: F.Type, about subject: F.Subject, now: ClockReading, into actions: inout [Action]
    ) {
        tellPeers(now.uptime)
        gossip?.withdraw(kind, about: subject, now: now, into: &gossipActions)
        carryOut(&actions)
    }

    /// Asks members how far they know what this node said.
    package mutating func ask(_ nodes: [NodeID], into actions: inout [Action]) {
        gossip?.ask(nodes, into: &gossipActions)
        carryOut(&actions)
    }

    /// Of these members those that are not known to have what this node says under a key.
    package func lacking(_ key: FactKey, among nodes: Set<NodeID>) -> Set<NodeID> {
        guard let gossip, let version = gossip.replica.version(of: key, by: node) else { return nodes }
        return nodes.filter { gossip.known[$0].map { $0 < version } ?? true }
    }

    /// Sets up to which version each origin's own judgements count for nothing, by the operator's word.
    package mutating func setRevoked(
        _ revoked: [NodeID: Version], now: Uptime, into actions: inout [Action]
    ) {
        self.revoked = revoked
        gossip?.setRevoked(revoked, now: now, into: &gossipActions)
        carryOut(&actions)
    }

    /// Begins to say facts in an incarnation. What was said in the one before is void everywhere: who said it says
    /// it again, after `started` or `storeIsOld`.
    private mutating func speak(as incarnation: UInt64, _ now: Uptime, _ actions: inout [Action]) {
        guard let table else { return }
        var gossip = Gossip(
            cluster: cluster, key: key, incarnation: incarnation, table: table, settings: gossipSettings,
            now: now)
        gossip.setMembers(Set(admitted.keys), into: &gossipActions)
        gossip.setRevoked(revoked, now: now, into: &gossipActions)
        self.gossip = gossip
        arePeersNew = true
        carryOut(&actions)
    }

    private mutating func gossipTick(
        _ clock: ClockReading, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        tellPeers(clock.uptime)
        if exchange?.isInDoubt == true { gossip?.stir(now: clock.uptime) }
        gossip?.words = exchange?.sums(now: clock)
        gossip?.tick(now: clock, using: &random, into: &gossipActions)
        carryOut(&actions)
        for (peer, message) in exchange?.openings(now: clock) ?? [] {
            actions.append(.send(.words(message), to: peer))
        }
    }

    /// The house believes this word, from wherever it has it: others are to hear of it, however it may be hidden.
    package mutating func keep(_ word: Word, now: ClockReading) { exchange?.keep(word, now: now) }

    private mutating func hear(
        _ message: WordMessage, from peer: NodeID, _ clock: ClockReading, _ actions: inout [Action]
    ) {
        // Who has not found its incarnation yet says nothing.
        guard gossip != nil, let outcome = exchange?.receive(message, from: peer, now: clock) else { return }
        if !outcome.news.isEmpty { actions.append(.words(outcome.news, bearer: peer)) }
        if outcome.refused > 0 { actions.append(.wordRefused(bearer: peer)) }
        if let reply = outcome.reply { actions.append(.send(.words(reply), to: peer)) }
    }

    /// Facts go to whom a link stands and who is not known dead; looked at only when it is wanted.
    private mutating func tellPeers(_ now: Uptime) {
        guard arePeersNew, gossip != nil else { return }
        arePeersNew = false
        let reached = linked.filter { state(of: $0) != .dead && state(of: $0) != .left }
        gossip?.setPeers(reached, now: now)
    }

    /// Members of which something signed was just learnt in an incarnation that the detector does not know yet.
    private func provenStarts() -> [(NodeID, UInt64)] {
        guard let gossip, let detector else { return [] }
        var proven: [NodeID: UInt64] = [:]
        for case .changed(let changes) in gossipActions {
            for case .said(let origin, _, _) in changes where proven[origin] == nil {
                guard let incarnation = gossip.replica.log(of: origin)?.incarnation,
                    detector.incarnation(of: origin).map({ $0 < incarnation }) ?? false
                else { continue }
                proven[origin] = incarnation
            }
        }
        return proven.sorted { $0.key < $1.key }
    }

    private mutating func carryOut(_ actions: inout [Action]) {
        for action in gossipActions {
            switch action {
            case .send(let message, let peers):
                actions.append(
                    peers.count == 1
                        ? .send(.facts(message), to: peers[0]) : .broadcast(.facts(message), to: peers))
            case .changed(let changes): actions.append(.facts(changes))
            case .refused(let refusal, let bearer): actions.append(.factRefused(refusal, bearer: bearer))
            }
        }
        gossipActions.removeAll(keepingCapacity: true)
    }
}

/// Why a frame was not acted on. Its sender is not told.
package enum FrameRefusal: String, Sendable, Hashable, CaseIterable {
    case otherCluster
    /// It speaks under another name than its link's.
    case otherName
    /// Not, or no longer, a member.
    case stranger
    /// Under our own name.
    case ourselves
}

extension ClusterMachine.Action {
    fileprivate init(_ action: Detector.Action) {
        switch action {
        case .send(let message, let peer): self = .send(.probing(message), to: peer)
        case .changed(let member, let from, let to): self = .changed(member, from: from, to: to)
        case .persist(let incarnation): self = .persist(incarnation: incarnation)
        case .storeIsOld(let seen): self = .storeIsOld(seen: seen)
        case .stopCloned: self = .stopCloned
        case .cloneSeen: self = .cloneSeen
        }
    }
}
