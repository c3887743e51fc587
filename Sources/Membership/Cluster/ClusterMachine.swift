package import MailValues

/// One node's part in the cluster: its start, then its failure detector, and who may be heard at all.
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
    }

    package let cluster: ClusterID
    package let node: NodeID
    package let nonce: UInt64
    private let settings: DetectorSettings
    /// While the node looks for its incarnation; from then on `detector` is there instead.
    private var inquiry: StartInquiry?
    /// Nil while the node has not found its incarnation.
    package private(set) var detector: Detector?
    private var admitted: [NodeID: UInt64]
    private var linked: Set<NodeID> = []
    private var turnedAwayBy: Set<NodeID> = []
    private var detectorActions: [Detector.Action] = []

    /// `stored` is the incarnation that the store has, 0 if none; `nonce` is drawn anew for each start.
    package init(
        cluster: ClusterID, node: NodeID, stored: UInt64, nonce: UInt64, admitted: [NodeID: UInt64],
        settings: DetectorSettings = DetectorSettings(),
        startSettings: StartInquiry.Settings = StartInquiry.Settings(), now: Uptime
    ) {
        self.cluster = cluster
        self.node = node
        self.nonce = nonce
        self.settings = settings
        self.admitted = admitted
        let others = Set(admitted.keys).subtracting([node])
        inquiry = StartInquiry(stored: stored, others: others, settings: startSettings, now: now)
    }

    /// When `handle(.tick)` is wanted next.
    package var wake: Uptime { detector?.wake ?? inquiry?.wake ?? .start }

    /// What the cluster looks like from here; a node that starts knows nothing yet.
    package func state(of member: NodeID) -> MemberState? {
        guard let detector else { return admitted[member] == nil ? nil : .joining }
        return detector.state(of: member)
    }

    package var sender: Sender {
        detector?.sender ?? Sender(node: node, incarnation: 0, nonce: nonce, state: .joining)
    }

    package func frame(_ body: Frame.Body) -> Frame { Frame(cluster: cluster, sender: sender, body: body) }

    package mutating func handle(
        _ event: Event, now: Uptime, using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        switch event {
        case .tick: link(.tick, inquiry: .tick, now, &random, &actions)
        case .frame(let frame, let peer, let age):
            if let refusal = refusal(of: frame, from: peer) {
                actions.append(.refused(refusal, from: peer))
            } else {
                turnedAwayBy.remove(peer)
                receive(frame, age: age + frame.age, now, &random, &actions)
            }
        case .linkUp(let peer):
            linked.insert(peer)
            turnedAwayBy.remove(peer)
            link(.linkUp(peer), inquiry: .linkUp(peer), now, &random, &actions)
        case .linkDown(let peer): linked.remove(peer)
        case .linkRefused(let peer): link(.linkRefused(peer), inquiry: nil, now, &random, &actions)
        case .turnedAway(let peer): turnedAway(by: peer, &actions)
        case .admitted(let all):
            admitted = all
            link(.admitted(all), inquiry: nil, now, &random, &actions)
        case .declare(let state, let within):
            link(.declare(state, within: within), inquiry: nil, now, &random, &actions)
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
    private mutating func turnedAway(by peer: NodeID, _ actions: inout [Action]) {
        guard admitted[peer] != nil, turnedAwayBy.insert(peer).inserted else { return }
        if turnedAwayBy.count == min(2, admitted.count - 1) { actions.append(.evicted) }
    }

    // MARK: Phases

    private mutating func receive(
        _ frame: Frame, age: Duration, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        guard case .probing(let message) = frame.body else { return }
        let peer = frame.sender.node
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
            case .ask(let peer): actions.append(.send(.probing(.askLastSeen), to: peer))
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
        run(.admitted(admitted), now, &random, &actions)
        for peer in linked.sorted() { run(.linkUp(peer), now, &random, &actions) }
    }

    private mutating func run(
        _ event: Detector.Event, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        detector?.handle(event, now: now, using: &random, into: &detectorActions)
        for action in detectorActions { actions.append(Action(action)) }
        detectorActions.removeAll(keepingCapacity: true)
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
