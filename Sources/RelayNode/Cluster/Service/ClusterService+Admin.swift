package import AdminProtocol
import Convergence
import Cryptography
import GossipTransport
import MailValues
import Membership

/// What operators ask of the cluster's part of a node.
extension ClusterService {
    package func facts() throws(AdminProblem) -> ClusterFacts {
        let identity: Ed25519PrivateKey
        let key: LinkKey
        do { (identity, key) = (try keys.identity(), try member?.newestKey ?? keys.link().key) } catch {
            throw AdminProblem(.unavailable, "\(error)", advice: "look at the data directory")
        }
        let contact = member.flatMap { $0.directory.introduction(of: $0.me)?.contact }
        return ClusterFacts(
            cluster: member?.book.cluster.description,
            operatorKey: member.map { Self.hex($0.book.operatorKey) },
            node: identity.node.hex, linkKey: key.hex,
            name: member.flatMap { $0.book.names[$0.me] } ?? settings.name,
            address: (contact?.address ?? settings.address)?.description,
            controlPort: Int(contact?.controlPort ?? settings.port),
            bulkPort: Int(contact?.bulkPort ?? settings.port + 1), doorPort: Int(settings.port + 2),
            newestOrder: member.map { max($0.orders.newest, $0.book.number) })
    }

    private static func hex(_ octets: [UInt8]) -> String { NodeID(octets: octets)?.hex ?? "" }

    // MARK: Members

    package func list() async -> MemberList {
        guard let member else { return MemberList(cluster: nil, set: 0, members: [alone()]) }
        let loads = Dictionary(
            await member.driver.all(MemberLoad.self).map { ($0.origin, $0.value) }, uniquingKeysWith: { $1 })
        let claims = Dictionary(
            await member.driver.claims.map { ($0.node, $0.incarnation) }, uniquingKeysWith: max)
        var rows: [MemberRow] = []
        for admission in member.book.all {
            let node = admission.node
            let contact = member.directory.introduction(of: node)?.contact
            let isSelf = node == member.me
            var load = loads[node]
            if isSelf {
                load = seams.load()
                load?.admittedSet = member.book.number
            }
            let state =
                isSelf ? ownState(load) : Self.state(await member.driver.state(of: node), load)
            // What it held when it spoke last is others' now.
            if state == .left { load = nil }
            rows.append(
                MemberRow(
                    node: node.hex, name: name(of: node), isSelf: isSelf,
                    state: state,
                    address: contact.map { "\(SocketEndpoint(address: $0.address, port: $0.controlPort))" },
                    load: load.map(MemberRow.Load.init),
                    incarnation: isSelf
                        ? await member.driver.incarnation
                        : claims[node] ?? member.seen[node] ?? 0))
        }
        if !member.book.isMember(member.me) { rows.append(alone()) }
        return MemberList(
            cluster: member.book.cluster.description, set: member.book.number,
            members: rows.sorted { ($0.name, $0.node) < ($1.name, $1.node) })
    }

    private func alone() -> MemberRow {
        MemberRow(
            node: (try? keys.identity().node.hex) ?? "", name: settings.name, isSelf: true,
            state: hasLeft ? .left : isEvicted || member != nil ? .quarantined : .alive, address: nil,
            load: MemberRow.Load(seams.load()), incarnation: 0)
    }

    private func ownState(_ load: MemberLoad?) -> MemberRow.State {
        switch member?.condition {
        case .starting: .joining
        case .speaking where load?.isSick == true: .sick
        case .speaking, nil: load?.isLeaving == true ? .leaving : load?.isReady == false ? .draining : .alive
        case .storeIsOld, .ended: .quarantined
        case .left: .left
        }
    }

    private static func state(_ state: MemberState?, _ load: MemberLoad?) -> MemberRow.State {
        switch state {
        case .joining: .joining
        case .alive where load?.isQuarantined == true, .draining where load?.isQuarantined == true:
            .quarantined
        case .alive where load?.isSick == true: .sick
        case .alive: load?.isLeaving == true ? .leaving : .alive
        case .draining: load?.isLeaving == true ? .leaving : .draining
        case .parked: .parked
        case .suspect: .suspect
        case .dead: .dead
        case .left: .left
        case nil: .quarantined
        }
    }

    package func status() async -> NodeStatus.Cluster? {
        guard let member else { return nil }
        let rows = await list().members
        let orders = member.orders.all(now: WallClock.now()).filter { !$0.isLifted }
        return NodeStatus.Cluster(
            members: rows, queuedMessages: rows.reduce(0) { $0 + ($1.load?.queuedMessages ?? 0) },
            acceptedPerMinute: rows.reduce(0) { $0 + ($1.load?.acceptedPerMinute ?? 0) },
            orders: orders.count, blocks: orders.count { $0.subject.kind == .block },
            verdicts: orders.count { $0.subject.kind == .verdict })
    }

    /// What is counted of members and links.
    package func figures() async -> ClusterFigures {
        var figures = ClusterFigures()
        guard let member else {
            figures.mayDeliver = !isEvicted
            return figures
        }
        for node in member.book.members {
            if let state = await member.driver.state(of: node) { figures.members[state, default: 0] += 1 }
        }
        figures.orderCount = member.orders.all(now: WallClock.now()).count { !$0.isLifted }
        figures.mayDeliver = member.condition.mayDeliver
        figures.isCloneSeen = member.isCloneSeen
        figures.refusals = await member.driver.refusals
        figures.refusals.orders = refusals.orders
        figures.refusals.admissions = refusals.admissions
        figures.refusals.tokens = refusals.tokens
        figures.links = member.driver.transport.statistics
        return figures
    }

    // MARK: Orders

    package func obey(_ request: OrderRequest, by caller: Caller) async throws(AdminProblem) -> OrderAnswer {
        try checkCommand()
        guard let octets = Base64.decode(request.order.utf8), let fact = OrderFact(octets: octets) else {
            throw AdminProblem(.badRequest, "the order cannot be read")
        }
        let now = WallClock.now()
        guard let taking = self.member?.orders.take(fact.order, now: now) else {
            throw AdminProblem(.unavailable, "the node is leaving its cluster")
        }
        switch taking {
        case .refused:
            refusals.orders += 1
            record("order-refused", fields: [("by", caller.recordName)])
            throw AdminProblem(
                .forbidden, "the order is not signed by this cluster's operator",
                advice: "use the operator's key that `chappe init` made (--operator-key FILE)")
        case .known:
            throw AdminProblem(
                .refused, "a newer order about the same holds, or this one is over",
                advice: "is this machine's clock right?")
        case .taken(let order):
            record("order-given", fields: [("by", caller.recordName), ("number", "\(order.number)")])
            let count = await keep(order, isOurs: true, now: now)
            var answer = OrderAnswer(number: order.number, told: [], notReached: [], messages: count)
            let (told, waiting) = await tell(order)
            answer.told = told.map(name).sorted()
            answer.notReached = waiting.map(name).sorted()
            return answer
        }
    }

    /// Who is out, or goes, brings nobody's orders to the others.
    private func checkCommand() throws(AdminProblem) {
        guard !isEvicted, member?.condition != .ended(.evicted) else {
            throw AdminProblem(
                .refused, "this node was evicted: no member would hear the order from it",
                advice: "say it on a member")
        }
        guard !hasLeft, member?.condition != .left else {
            throw AdminProblem(
                .refused, "this node has left its cluster: no member would hear the order from it",
                advice: "say it on a member")
        }
        guard let member else {
            throw AdminProblem(
                .refused, "this node is in no cluster, so no operator's key is known here",
                advice: "`chappe init` makes a cluster, of one node to begin with")
        }
        guard case .ended(let end) = member.condition else { return }
        throw AdminProblem(
            .unavailable, "this node takes no part in its cluster: \(end)", advice: "restart the node")
    }

    /// How long who gave an order waits for the members to have it.
    private static let tellingLongest: Duration = .seconds(2)
    private static let tellingPause: Duration = .milliseconds(50)

    /// The other members that have an order, and those that have not answered so. Who has left in order needs none.
    private func tell(_ order: Order) async -> (told: Set<NodeID>, waiting: Set<NodeID>) {
        guard let member else { return ([], []) }
        var others = member.book.members.subtracting([member.me])
        var absent: Set<NodeID> = []
        for node in others {
            let state = await member.driver.state(of: node)
            if state == .left { others.remove(node) } else if state?.isPresent != true { absent.insert(node) }
        }
        var missing = others.subtracting(absent)
        let end = ContinuousClock.now + Self.tellingLongest
        while !missing.isEmpty, ContinuousClock.now < end {
            member.driver.ask(missing)
            try? await Task.sleep(for: Self.tellingPause)
            missing = await member.driver.lacking(OrderFact.self, about: order.subject, among: missing)
        }
        let waiting = missing.union(absent)
        return (others.subtracting(waiting), waiting)
    }

    package func rotateLinkKey(by caller: Caller) async throws(AdminProblem) -> RotationAnswer {
        do {
            let serial = try await rotate()
            record("link-key", fields: [("by", caller.recordName), ("serial", "\(serial)")])
            return RotationAnswer(
                serial: serial, waiting: member.map { unconfirmed($0.me).map(name).sorted() } ?? [])
        } catch { throw AdminProblem(.refused, "\(error)") }
    }

    package func mark(of text: String) async throws(AdminProblem) -> OriginMark {
        guard let member, let node = node(called: text) else {
            throw AdminProblem(
                .notFound, "no member is called \(text.prefix(80))", advice: "`chappe members`")
        }
        let mark = await member.driver.mark(of: node)
        return OriginMark(
            node: node.hex, name: name(of: node), incarnation: mark?.incarnation ?? 0,
            counter: mark?.counter ?? 0)
    }
}

extension MemberRow.Load {
    fileprivate init(_ load: MemberLoad) {
        self.init(
            version: load.release, configuration: String(load.configuration, radix: 16),
            queuedMessages: Int(clamping: load.queuedMessages),
            queuedOctets: Int(clamping: load.queuedOctets),
            freeOctets: Int(clamping: load.freeOctets),
            acceptedPerMinute: Int(clamping: load.acceptedPerMinute), isReady: load.isReady,
            set: load.admittedSet)
    }
}
