import Convergence
import Cryptography
import GossipTransport
package import MailValues
package import Membership
import QueueEngine
import Telemetry

/// This node's place among others: none, or that of a member of one cluster.
///
/// It owns what a member must know (who is in, by which keys and where, what the operator ordered), keeps it on disk, and
/// stands between the driver and the house. Its state is merged from words that may come in any order, so what
/// happens while it waits for the disk does no harm.
package actor ClusterService {
    package struct Settings: Sendable {
        /// Where the keys lie.
        package var folder: String
        /// Our own address as others reach it; nil: the one from which we reached the member that let us in.
        package var address: IPAddress?
        /// The first of five ports.
        package var port: UInt16
        /// By which operators know this node; unique in the cluster.
        package var name: String
        package var start = StartInquiry.Settings()

        package init(folder: String, address: IPAddress?, port: UInt16, name: String) {
            self.folder = folder
            self.address = address
            self.port = port
            self.name = name
        }
    }

    /// Why this member does not take part, or not wholly.
    package enum Condition: Sendable, Equatable {
        /// Asks others what they last saw of it.
        case starting
        case speaking
        /// Others saw a later start than the store knows: nothing is delivered.
        case storeIsOld(seen: UInt64?)
        case ended(ClusterEnd)
        /// It gave everything away and went.
        case left

        var mayDeliver: Bool { self == .speaking || self == .left }

        /// Why mail that came now would lie here and be delivered by nobody; nil: it would not.
        var obstacle: String? {
            switch self {
            case .starting, .speaking: nil
            case .storeIsOld: "the store is older than what the members saw of this node"
            case .ended(.evicted): "this node was evicted from its cluster"
            case .ended: "this node is not in its cluster any more"
            case .left: "this node has left its cluster"
            }
        }
    }

    /// What a member has.
    struct Member: Sendable {
        let identity: Ed25519PrivateKey
        let driver: ClusterDriver
        var book: AdmissionBook
        var directory: MemberDirectory
        var orders: OrderBook
        /// Origins whose judgements were taken back, with the orders that did.
        var revocations: [NodeID: (order: Order, covered: UInt64, incarnation: UInt64)] = [:]
        /// As the driver has it.
        var revoked: [NodeID: Version] = [:]
        var seen: [NodeID: UInt64]
        /// The last word of members that left in order.
        var departed: [NodeID: Claim]
        var condition = Condition.starting
        /// Of each member what it confirmed of the others' link keys.
        var confirmed: [NodeID: [NodeID: UInt64]] = [:]
        var isRotating: Bool
        var isRetiring = false
        /// The newest under which this node listens: a door opens under it.
        var newestKey: LinkKey
        var isCloneSeen = false
        var deaf: String?
        var door: (port: UInt16, until: Timestamp, key: LinkKey)?
        /// Until when an earlier life had promised to open its door.
        var doorPromised: Timestamp?
        /// How the house was told that members stand.
        var told: [NodeID: Leaver.Standing] = [:]
        /// Members that are reached, and those to which no mail can be handed all the same.
        var linked = LinkWatch()
        var withoutBulk: Set<NodeID> = []
        /// What was said last of how this node fares, and when.
        var loadSaid: (load: MemberLoad, at: ContinuousClock.Instant)?
        var saidAt: ContinuousClock.Instant?
        /// To be obeyed once another member is there.
        var leaveOrder: Order?
        /// Members of whose starts and departures the store does not have the last.
        var heardAnew: Set<NodeID> = []
        /// Those whose departure was stored in this second.
        var departedNow: Set<NodeID> = []
        /// Members' newest words about their links, for the next tick; one that spoke in this second already.
        var introductions: [NodeID: MemberFact] = [:]
        var introduced: Set<NodeID> = []
        /// What the events said of a member in this minute.
        var lines: [NodeID: Int] = [:]
        /// The transport's refusals as the events had them last, and when.
        var strangersTold = (count: UInt64(0), at: ContinuousClock.now - .seconds(60))

        var me: NodeID { identity.node }

        /// Whether mail can be handed to a member, as far as is known: its link for mail may have yet to be asked for.
        func reaches(_ node: NodeID) -> Bool { linked.contains(node) && !withoutBulk.contains(node) }
    }

    let settings: Settings
    let store: ClusterStore
    let keys: ClusterKeys
    private(set) var seams = ClusterSeams()
    var member: Member?
    /// The members will not have this node any more, as its store knows.
    var isEvicted = false
    /// It gave its mail away and went; nobody has let it in since.
    var hasLeft = false
    /// What is queued is held from the next start on: until then it cannot enter a cluster, where it would deliver that.
    var mustStartAnew = false
    /// For how many seconds it has reached others and heard none.
    var secondsDeaf = 0
    /// A cluster is being founded or joined.
    var isEntering = false
    /// What this part would not believe since the process started; the driver counts the rest.
    var refusals = ClusterRefusals()
    private var running: Task<Void, Never>?

    package init(_ settings: Settings, store: ClusterStore) {
        self.settings = settings
        self.store = store
        keys = ClusterKeys(folder: settings.folder)
    }

    /// Before `start`: whom to tell, and whom to ask.
    package func attach(_ seams: ClusterSeams) { self.seams = seams }

    // MARK: Start and end

    /// Takes the place that the store knows of; a node in no cluster stays alone.
    package func start(_ content: ClusterStore.Content?) async throws(NodeError) {
        guard let content else { return seams.mayDeliver(true) }
        let identity = try? keys.identity()
        if let identity, content.isForeign(to: identity.node) {
            // What it knows of a cluster is another's.
            if let failure = await store.forget() { throw NodeError("the store: \(failure.words)") }
            record("another-key")
            return seams.mayDeliver(true)
        }
        guard !content.hasLeft else {
            hasLeft = true
            seams.mayTake(Condition.left.obstacle)
            return seams.mayDeliver(true)
        }
        // An order to evict us may never have reached us; then it was the members who turned us away.
        if content.isTurnedAway || identity.map({ content.book.isEvicted($0.node) }) == true {
            isEvicted = true
            return seams.mayTake(Condition.ended(.evicted).obstacle)
        }
        try await begin(content, address: settings.address)
    }

    /// Who goes for good has said so before.
    package func stop() async {
        member?.driver.stop()
        await running?.value
    }

    func begin(_ content: ClusterStore.Content, address: IPAddress?) async throws(NodeError) {
        // An earlier membership gives its ports back first.
        await stop()
        let identity: Ed25519PrivateKey
        let pair: LinkKeyPair
        var next: LinkKeyPair?
        do {
            identity = try keys.identity()
            pair = try keys.link()
            next = try keys.next()
        } catch { throw .part("cluster", error) }
        (isEvicted, hasLeft, secondsDeaf) = (false, false, 0)
        member = nil
        seams.mayTake(nil)
        let book = content.book
        var directory = MemberDirectory(cluster: book.cluster)
        for admission in book.all { _ = directory.take(admission.introduction) }
        for introduction in content.introductions where book.isMember(introduction.node) {
            _ = directory.take(introduction)
        }
        let own = directory.introduction(of: identity.node)
        if let begun = next, let own, own.link.linkKey != begun.key.octets {
            // The last life ended before it told anybody of this key: nobody would have it.
            do throws(KeyStoreError) { try keys.abandon() } catch { throw .part("cluster", error) }
            next = nil
        }
        guard let address = address ?? own?.contact?.address else {
            throw NodeError("the node is in a cluster and knows no address of its own: set cluster.address")
        }
        let (news, door) = AsyncStream.makeStream(of: ClusterNews.self)
        let ports = ports(of: pair, own)
        let moved = await move(to: address, own, in: &directory)
        var orders = OrderBook(cluster: book.cluster, operatorKey: book.operatorKey)
        let now = WallClock.now()
        for order in content.orders { _ = orders.take(order, now: now) }
        let driver = try driver(
            content, orders, directory.introduction(of: identity.node)?.contact, identity: identity,
            pair: pair,
            address: address, ports: ports, tell: door)
        var newest = pair.key
        if let next, await listen(under: next, besides: ports, by: driver) != nil { newest = next.key }
        member = Member(
            identity: identity, driver: driver, book: book, directory: directory, orders: orders,
            seen: content.seen, departed: content.departed, isRotating: next != nil, newestKey: newest)
        for node in book.members where node != identity.node { member?.linked.expect(node, now: now) }
        member?.doorPromised = content.doorUntil
        if let moved { record("moved", fields: [("to", Self.place(moved))]) }
        await seams.entered(identity.node) { [transport = driver.transport] octets, node in
            transport.send(octets, to: node, on: .bulk)
        }
        running = Task { [weak self] in
            async let end = driver.run()
            async let heard: Void = self?.hear(news) ?? ()
            let clock = Task { [weak self] in await self?.keepTime() }
            let why = await end
            clock.cancel()
            door.finish()
            await heard
            await self?.ended(why)
        }
        obeyStored(now: now)
        publish()
    }

    /// The configuration may name another address or port than the members know: the store has it first, the members hear it from
    /// this node's own links. Nil: nothing is new.
    private func move(
        to address: IPAddress, _ own: Introduction?, in directory: inout MemberDirectory
    ) async -> LinkContact? {
        guard let own else { return nil }
        let ports = newestPorts(own)
        let place = LinkContact(address: address, controlPort: ports.control, bulkPort: ports.bulk)
        let introduction = Introduction(link: own.link, contact: place)
        guard directory.take(introduction) else { return nil }
        // What the disk will not have now is said all the same, and found out anew at the next start.
        _ = await store.introduce(introduction)
        return own.contact == nil ? nil : place
    }

    private func driver(
        _ content: ClusterStore.Content, _ orders: OrderBook, _ contact: LinkContact?,
        identity: Ed25519PrivateKey, pair: LinkKeyPair, address: IPAddress, ports: BoundPorts,
        tell: AsyncStream<ClusterNews>.Continuation
    ) throws(NodeError) -> ClusterDriver {
        var transport = TransportSettings(bindAddress: address)
        (transport.controlPort, transport.bulkPort) = (ports.control, ports.bulk)
        var settings = ClusterDriver.Settings(
            cluster: content.book.cluster, key: identity, stored: content.incarnation, members: [],
            transport: transport)
        settings.members = content.book.all.map {
            ClusterMember(
                node: $0.node, address: nil, linkKeys: [], incarnation: content.seen[$0.node] ?? 0)
        }
        settings.facts = FactCatalog.table
        settings.words = WordBook(orders: orders, admissions: content.book)
        settings.start = self.settings.start
        settings.start.contact = contact
        settings.start.absent = Set(
            content.departed.values.filter { $0.incarnation >= content.seen[$0.node] ?? 0 }.map(\.node))
        let store = store
        do throws(TransportError) {
            return try ClusterDriver(
                settings, linkKey: pair,
                seams: ClusterDriver.Seams(
                    persist: { incarnation in
                        await store.persist(incarnation: incarnation).map { $0.words }
                    }, hold: { [seams] in seams.holdAtNextStart() }, tell: { tell.yield($0) },
                    bulk: seams.bulk))
        } catch {
            throw NodeError(
                "cluster: cannot listen at \(address), ports \(ports.control) and \(ports.bulk): \(error)")
        }
    }

    private func ended(_ end: ClusterEnd) async {
        guard end != .stopped else { return }
        // First on disk: who is let in again at once must not be taken for evicted after a restart.
        if end == .evicted { _ = await store.turnedAway() }
        if member?.condition != .left { become(.ended(end)) }
        if end == .cloned {
            seams.end(
                "another process with this node's key runs already: a copied machine must be made a node of its own "
                    + "(remove node.key and link.key, then `chappe join`)")
        }
    }

    /// Takes a new condition, with what it means for delivery.
    func become(_ condition: Condition) {
        guard member != nil, member?.condition != condition else { return }
        member?.condition = condition
        if case .storeIsOld = condition { mustStartAnew = true }
        seams.mayDeliver(condition.mayDeliver)
        seams.mayTake(condition.obstacle)
        record("condition", fields: [("condition", "\(condition)")])
    }

    // MARK: Members

    /// Hands the members as they are now to the driver.
    func publish() {
        guard let member else { return }
        let all = member.book.members.map { node -> ClusterMember in
            let introduction = member.directory.introduction(of: node)
            let keys = member.directory.keys.accepted(of: node).compactMap { LinkKey(octets: $0) }
            var address: PeerAddress?
            if let contact = introduction?.contact, let key = keys.first {
                address = PeerAddress(
                    address: contact.address, controlPort: contact.controlPort, bulkPort: contact.bulkPort,
                    key: key)
            }
            return ClusterMember(
                node: node, address: address, linkKeys: Set(keys), incarnation: member.seen[node] ?? 0)
        }
        member.driver.setMembers(all)
    }

    /// What this node says of its links, and of the others' keys as it has stored them.
    func introduce() {
        guard let member, let own = member.directory.introduction(of: member.me) else { return }
        var confirmed: [NodeID: UInt64] = [:]
        for node in member.book.members where node != member.me {
            confirmed[node] = member.directory.introduction(of: node)?.link.serial
        }
        let oldest = member.isRotating ? own.link.serial - 1 : own.link.serial
        member.driver.say(
            MemberFact(own, confirmed: confirmed, oldestSerial: oldest), about: MemberLoad.Myself())
    }

    /// Of what one member does to itself: no more lines in a minute than somebody will read.
    func recordSparingly(
        _ action: String, of node: NodeID, fields: [(name: StaticString, value: String)] = []
    ) {
        let lines = (member?.lines[node] ?? 0) + 1
        member?.lines[node] = lines
        guard lines <= Self.linesMost else { return }
        record(
            action, node: node,
            fields: fields + (lines == Self.linesMost ? [("more", "left out for a while")] : []))
    }

    static let linesMost = 60

    func record(
        _ action: String, node: NodeID? = nil, fields: [(name: StaticString, value: String)] = []
    ) {
        var event = Event(.cluster, at: WallClock.now())
        event.add("action", action)
        if let node { event.add("node", name(of: node)) }
        for field in fields { event.add(field.name, field.value) }
        seams.record(event)
    }

    func name(of node: NodeID) -> String { member?.book.names[node] ?? String(node.hex.prefix(12)) }

    /// The member that an operator means by a name or the beginning of an id.
    func node(called text: String) -> NodeID? {
        guard let book = member?.book else { return nil }
        if let named = book.member(named: text.lowercased()) { return named }
        let matching = book.members.filter { $0.hex.hasPrefix(text.lowercased()) }
        return text.utf8.count >= 4 && matching.count == 1 ? matching.first : nil
    }
}
