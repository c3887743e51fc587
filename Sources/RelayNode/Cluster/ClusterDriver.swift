package import Convergence
package import Cryptography
package import GossipTransport
package import MailValues
package import Membership

/// Drives this node's part in the cluster: links, time and store on one side, the machine on the other.
///
/// One loop takes what happens in order and carries out each of the machine's actions before it looks at the
/// next event: what must be synced before something is said is synced before it is said.
package actor ClusterDriver {
    package struct Settings: Sendable {
        package var cluster: ClusterID
        /// This node's identity.
        package var key: Ed25519PrivateKey
        /// The incarnation that the store has; 0: none.
        package var stored: UInt64
        /// Whom the store knows as admitted, ourselves among them: a start asks them what they last saw of
        /// it.
        package var members: [ClusterMember]
        package var transport: TransportSettings
        /// The kinds of facts that are carried; nil: none.
        package var facts: FactTable?
        /// What the node believes of words that prove themselves; nil: they are not compared.
        package var words: WordBook?
        package var gossip = GossipSettings()
        package var detector = DetectorSettings()
        package var start = StartInquiry.Settings()

        package init(
            cluster: ClusterID, key: Ed25519PrivateKey, stored: UInt64, members: [ClusterMember],
            transport: TransportSettings
        ) {
            self.cluster = cluster
            self.key = key
            self.stored = stored
            self.members = members
            self.transport = transport
        }
    }

    /// What the driver needs of the house.
    package struct Seams: Sendable {
        /// Returns once the incarnation is on disk, else why it is not.
        package var persist: @Sendable (_ incarnation: UInt64) async -> String?
        /// The store is older than what others saw: returns once it is noted for the next life that what is queued is not to
        /// be delivered unasked, else why it is not.
        package var hold: @Sendable () async -> String?
        package var tell: @Sendable (ClusterNews) -> Void
        /// A frame of the bulk channel, on the transport's own thread: it is handed over and nothing more.
        package var bulk: @Sendable (LinkFrame) -> Void

        package init(
            persist: @escaping @Sendable (_ incarnation: UInt64) async -> String?,
            hold: @escaping @Sendable () async -> String? = { nil },
            tell: @escaping @Sendable (ClusterNews) -> Void,
            bulk: @escaping @Sendable (LinkFrame) -> Void = { _ in }
        ) {
            self.persist = persist
            self.hold = hold
            self.tell = tell
            self.bulk = bulk
        }
    }

    private enum Input: Sendable {
        case link(LinkEvent)
        /// Frames lie on the desk.
        case frames
        case tick
        case members([ClusterMember])
        case declare(MemberState, within: Duration?)
        case recall([Claim])
        case change(Change)
    }

    /// Something that the house wants said.
    private typealias Change =
        @Sendable (inout ClusterMachine, ClockReading, inout [ClusterMachine.Action]) -> Void

    /// How long frames are read before time, links and the house are looked at again.
    private static let framesLongest: Duration = .milliseconds(5)
    private static let inputsAtOnce = 8

    package nonisolated let transport: GossipTransport
    private nonisolated let executor = DriverExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let seams: Seams
    private let inputs: AsyncStream<Input>
    private let door: AsyncStream<Input>.Continuation
    private let desk: FrameDesk
    private let began = ContinuousClock.now
    private var machine: ClusterMachine
    private var members: [NodeID: ClusterMember] = [:]
    private var actions: [ClusterMachine.Action] = []
    private var random = SystemRandomNumberGenerator()
    private var timer: (wake: Uptime, task: Task<Void, Never>)?
    private var end: ClusterEnd?
    private var counted = ClusterRefusals()
    private var refusalLog = RefusalLog()

    /// Binds the ports, and lets nobody in until `run`.
    package init(_ settings: Settings, linkKey: LinkKeyPair, seams: Seams) throws(TransportError) {
        let (inputs, door) = AsyncStream.makeStream(of: Input.self)
        let desk = FrameDesk()
        transport = try GossipTransport(settings.transport, linkKey: linkKey) { event in
            // Mail on its way to an heir is none of the machine's business, and must not delay it.
            if case .frame(let frame) = event, frame.channel == .bulk {
                seams.bulk(frame)
                return
            }
            // What the house says, and which links stand, is never dropped: a flood must not drown the word that ends it.
            if case .frame(let frame) = event {
                if desk.put(frame) { door.yield(.frames) }
                return
            }
            door.yield(.link(event))
        }
        self.inputs = inputs
        self.door = door
        self.desk = desk
        self.seams = seams
        door.yield(.members(settings.members))
        machine = ClusterMachine(
            cluster: settings.cluster, key: settings.key, stored: settings.stored,
            nonce: .random(in: 1 ... .max),
            admitted: Dictionary(settings.members.map { ($0.node, $0.incarnation) }) { first, _ in first },
            facts: settings.facts, words: settings.words, gossipSettings: settings.gossip,
            settings: settings.detector,
            startSettings: settings.start, now: .start)
    }

    // MARK: Asking

    /// How this node sees a member, itself among them; nil: it is none.
    package func state(of node: NodeID) -> MemberState? { machine.state(of: node) }

    /// What is believed of every other member.
    package var claims: [Claim] { machine.detector?.claims ?? [] }

    /// What each origin says about a subject.
    package func said<F: Fact>(_ kind: F.Type, about subject: F.Subject) -> [Said<F>] {
        machine.gossip?.replica.said(kind, about: subject, now: now.uptime) ?? []
    }

    /// All that is said of a kind; a value that cannot be read says nothing.
    package func all<F: Fact>(_ kind: F.Type) -> [(origin: NodeID, subject: F.Subject, value: F)] {
        guard let gossip = machine.gossip else { return [] }
        return gossip.replica.statements(of: F.description.kind, now: now.uptime).compactMap { said in
            guard let octets = said.record.value, let value = F(octets: octets),
                let subject = F.subject(said.record.key.subject)
            else { return nil }
            return (said.origin, subject, value)
        }
    }

    /// Up to which version we know what a member said.
    package func mark(of node: NodeID) -> Version? { machine.gossip?.replica.marks[node] }

    /// The node asks what others saw of it, reaches them, and hears none.
    package var isDeaf: Bool { machine.isDeaf }

    package var incarnation: UInt64 { machine.sender.incarnation }

    /// Of these members those that are not known to have what this node says about a subject.
    package func lacking<F: Fact>(
        _ kind: F.Type, about subject: F.Subject, among nodes: Set<NodeID>
    ) -> Set<NodeID> {
        machine.lacking(F.key(subject), among: nodes)
    }

    package var refusals: ClusterRefusals {
        var refusals = counted
        refusals.overflow = desk.dropped
        return refusals
    }

    // MARK: Telling

    /// The admitted set, ourselves among them. Who is missing has been evicted.
    package nonisolated func setMembers(_ members: [ClusterMember]) { door.yield(.members(members)) }

    /// What this node says of itself from now on.
    package nonisolated func declare(_ state: MemberState, within: Duration? = nil) {
        door.yield(.declare(state, within: within))
    }

    /// What members that went had said last, as the store remembers it.
    package nonisolated func recall(_ claims: [Claim]) { door.yield(.recall(claims)) }

    /// Says a fact of ours, here at once and elsewhere soon. One for which there is no room is not said: `isSaid`
    /// hears false.
    package nonisolated func say<F: Fact>(
        _ fact: F, about subject: F.Subject, lifetime: Duration? = nil,
        isSaid: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        door.yield(
            .change { machine, now, actions in
                do throws(FactWriteError) {
                    try machine.say(fact, about: subject, lifetime: lifetime, now: now, into: &actions)
                    isSaid(true)
                } catch { isSaid(false) }
            })
    }

    /// What the house believes from now on, from wherever it has it.
    package nonisolated func keep(_ word: Word) {
        door.yield(.change { machine, now, _ in machine.keep(word, now: now) })
    }

    package nonisolated func withdraw<F: Fact>(_ kind: F.Type, about subject: F.Subject) {
        door.yield(
            .change { machine, now, actions in
                machine.withdraw(kind, about: subject, now: now, into: &actions)
            })
    }

    /// Asks members how far they know what this node said.
    package nonisolated func ask(_ nodes: Set<NodeID>) {
        door.yield(.change { machine, _, actions in machine.ask(nodes.sorted(), into: &actions) })
    }

    /// Up to which version each origin's own judgements count for nothing, by the operator's word.
    package nonisolated func setRevoked(_ revoked: [NodeID: Version]) {
        door.yield(
            .change { machine, now, actions in
                machine.setRevoked(revoked, now: now.uptime, into: &actions)
            })
    }

    /// Ends `run`. Nobody is told: who goes for good declares so first.
    package nonisolated func stop() { door.finish() }

    // MARK: Running

    /// Takes part until `stop`, or until the node may not any more.
    package func run() async -> ClusterEnd {
        var taken = 0
        var aside = ContinuousClock.now
        for await input in inputs {
            await take(input)
            if let end {
                finish()
                return end
            }
            arm()
            // Inputs may never end; who asks us something is heard between them, though not after each: to step aside
            // costs more than most of them. † But a single frame may bring thousands of signatures, half a second of work.
            taken += 1
            if taken.isMultiple(of: Self.inputsAtOnce) || ContinuousClock.now - aside > Self.framesLongest {
                await Task.yield()
                aside = ContinuousClock.now
            }
        }
        finish()
        return .stopped
    }

    private func finish() {
        timer?.task.cancel()
        timer = nil
        door.finish()
        transport.shutdown()
    }

    private var now: ClockReading {
        ClockReading(
            uptime: Uptime(milliseconds: (ContinuousClock.now - began).wholeMilliseconds),
            wall: WallClock.now())
    }

    /// One sleeper at a time, for the moment that the machine names. One that comes too early looks again: with most frames
    /// the moment only moves on, and to begin sleeping anew costs more than the frame.
    private func arm() {
        let wake = machine.wake
        if let timer, timer.wake <= wake { return }
        timer?.task.cancel()
        let moment = began + .milliseconds(wake.milliseconds)
        let task = Task { [door] in
            // Probes and rumours are due within tens of milliseconds of each other: they may share a wake.
            try? await Task.sleep(until: moment, tolerance: .milliseconds(10), clock: .continuous)
            if !Task.isCancelled { door.yield(.tick) }
        }
        timer = (wake, task)
    }

    private func take(_ input: Input) async {
        switch input {
        case .tick:
            timer = nil
            await handle(.tick)
        case .members(let members): await change(members)
        case .declare(let state, let within): await handle(.declare(state, within: within))
        case .recall(let claims): await handle(.recalled(claims))
        case .change(let change):
            change(&machine, now, &actions)
            await carryOut()
        case .link(let event): await take(event)
        case .frames: await takeFrames()
        }
    }

    private func takeFrames() async {
        let began = ContinuousClock.now
        var now = began
        while now - began < Self.framesLongest {
            guard let frame = desk.take() else { return }
            await take(frame)
            guard end == nil else { return }
            let ended = ContinuousClock.now
            desk.charge(frame.peer, ended - now)
            now = ended
        }
        door.yield(.frames)
    }

    private func take(_ event: LinkEvent) async {
        switch event {
        case .up(let node, .control):
            seams.tell(.link(node, isUp: true))
            await handle(.linkUp(node))
        case .down(let node, .control):
            seams.tell(.link(node, isUp: false))
            await handle(.linkDown(node))
        case .up(let node, .bulk), .rested(let node, .bulk): seams.tell(.bulk(node, isFailing: false))
        case .down(let node, .bulk): seams.tell(.bulk(node, isFailing: true))
        case .rested(_, .control): break
        case .refused(let node): await handle(.linkRefused(node))
        case .turnedAway(let node): await handle(.turnedAway(node))
        case .frame(let frame): await take(frame)
        case .joinRequest(let request): seams.tell(.joinRequest(request))
        case .doorClosed: seams.tell(.doorClosed)
        case .deaf(let endpoint, _): seams.tell(.deaf(endpoint: endpoint))
        }
    }

    private func take(_ link: LinkFrame) async {
        do {
            let frame = try Frame(decoding: link.octets)
            await handle(.frame(frame, from: link.peer, age: link.age))
        } catch .version(let version) {
            counted.otherVersion += 1
            tell(
                version > Frame.version ? "a frame of a newer version" : "a frame of an older version",
                of: link.peer)
        } catch {
            counted.malformed += 1
            tell("a frame that cannot be read", of: link.peer)
        }
    }

    private func tell(_ reason: String, of peer: NodeID) {
        guard let count = refusalLog.count(reason, of: peer, now: now.uptime) else { return }
        seams.tell(.refused(peer, reason: reason, count: count))
    }

    private func change(_ all: [ClusterMember]) async {
        let new = Dictionary(all.map { ($0.node, $0) }) { first, _ in first }
        for (node, member) in members {
            guard let still = new[node] else {
                transport.evict(node)
                desk.forget(node)
                continue
            }
            for key in member.linkKeys.subtracting(still.linkKeys) { transport.withdraw(key) }
        }
        for member in new.values where member.node != machine.node {
            for key in member.linkKeys.subtracting(members[member.node]?.linkKeys ?? []) {
                await transport.admit(key, for: member.node)
            }
        }
        members = new
        transport.setPeers(new.filter { $0.key != machine.node }.compactMapValues(\.address))
        await handle(.admitted(new.mapValues(\.incarnation)))
    }

    private func handle(_ event: ClusterMachine.Event) async {
        machine.handle(event, now: now, using: &random, into: &actions)
        await carryOut()
    }

    private func carryOut() async {
        let actions = actions
        self.actions.removeAll(keepingCapacity: true)
        // † Before the new incarnation is on the disk: the next life would find nothing amiss, and deliver all of it again.
        if actions.contains(where: \.isOfAnOldStore), let failure = await seams.hold() {
            end = .notStored(failure)
            return
        }
        for action in actions {
            await perform(action)
            guard end == nil else { return }
        }
    }

    private func perform(_ action: ClusterMachine.Action) async {
        switch action {
        case .send(let body, let peer):
            // Without room it is lost, and counted there; the machine is made for that.
            _ = transport.send(machine.frame(body).octets, to: peer, on: .control)
        case .broadcast(let body, let peers):
            let octets = machine.frame(body).octets
            for peer in peers { _ = transport.send(octets, to: peer, on: .control) }
        case .facts(let changes): seams.tell(.facts(changes))
        // Who began anew leaves some of these on their way, and nobody lied.
        case .factRefused(.outdated, _): break
        case .factRefused(let refusal, let bearer):
            counted.facts += 1
            tell(refusal.words, of: bearer)
        case .words(let words, let bearer): seams.tell(.words(words, bearer: bearer))
        case .wordRefused(let bearer):
            counted.orders += 1
            tell("an order or an admission that proves nothing", of: bearer)
        case .moved(let node, let contact): seams.tell(.moved(node, to: contact))
        case .changed(let node, let from, let to): seams.tell(.changed(node, from: from, to: to))
        case .persist(let incarnation):
            if let failure = await seams.persist(incarnation) { end = .notStored(failure) }
        case .started(let incarnation, let storeIsOld):
            seams.tell(.started(incarnation: incarnation, storeIsOld: storeIsOld))
        case .storeIsOld(let seen): seams.tell(.storeIsOld(seen: seen))
        case .stopCloned: end = .cloned
        case .cloneSeen: seams.tell(.cloneSeen)
        case .evicted: end = .evicted
        case .refused(let refusal, let peer):
            counted.count(refusal)
            tell(refusal.words, of: peer)
        }
    }
}

extension ClusterMachine.Action {
    fileprivate var isOfAnOldStore: Bool {
        if case .started(_, storeIsOld: true) = self { return true }
        if case .storeIsOld = self { return true }
        return false
    }
}

extension FrameRefusal {
    fileprivate var words: String {
        switch self {
        case .otherCluster: "a frame of another cluster"
        case .otherName: "a frame under another's name"
        case .stranger: "a frame of one that is no member"
        case .ourselves: "a frame under our own name"
        }
    }
}

extension FactRefusal {
    fileprivate var words: String {
        switch self {
        case .stranger: "a fact of one that is no member"
        case .signature: "a fact without its origin's signature"
        case .bent: "a fact that is not what its origin signed"
        case .outdated: "a fact of an earlier life of its origin"
        case .overBound: "more facts than one member may say"
        }
    }
}
