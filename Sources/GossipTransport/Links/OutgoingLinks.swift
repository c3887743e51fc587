import MailValues
import Membership

/// The outgoing connections of one channel: to whom, by which route, and whether they stand.
///
/// A machine: it is told what the monitor saw, and says what is to be connected, parted and told. The links of a channel that
/// is seldom used stand only while they are wanted, since each one that stands costs its heartbeats.
struct OutgoingLinks {
    enum Action: Equatable {
        case connect(Connection)
        case disconnect(endpoint: String)
        case tell(LinkEvent)
        /// Find out whether the process there is gone.
        case probe(NodeID, PeerAddress)
    }

    struct Connection: Equatable {
        let node: NodeID
        let endpoint: String
        let route: [UInt8]
        /// What must be shown there.
        let key: LinkKey
    }

    private struct Link {
        let address: PeerAddress
        var connection: Connection
        /// Of the TCP connection that stands, so that a late word about its forerunner does no harm.
        var descriptor: CInt?
        var isUp = false
        /// When something was last heard of it.
        var heard: Uptime
        /// When it is made anew; nil: the library sees to it.
        var renewal: Uptime?
        /// Since when it does not stand.
        var downSince: Uptime
        /// The member has shown its key here.
        var hasStood = false

        init(_ address: PeerAddress, _ connection: Connection, now: Uptime) {
            self.address = address
            self.connection = connection
            heard = now
            downSince = now
        }
    }

    /// A link that somebody wanted to use.
    private struct Want {
        let asked: Uptime
        /// When the last frame wanted to go.
        var used: Uptime
        /// It was told that it stands, or that it does not.
        var isTold = false
    }

    /// How a frame leaves.
    enum Way: Equatable {
        case route([UInt8])
        /// Its link is being made: it may wait.
        case soon
        case none
    }

    private let channel: Channel
    private let timing: LinkTiming
    private let isOnDemand: Bool
    /// Of all members, linked or not.
    private var peers: [NodeID: PeerAddress] = [:]
    /// Where links stand on demand.
    private var wants: [NodeID: Want] = [:]
    private var links: [NodeID: Link] = [:]
    private var nodes: [String: NodeID] = [:]
    /// Members that gave an address which another one gave too; they wait for their turn there.
    private var rivals: [String: [NodeID: PeerAddress]] = [:]
    private(set) var connectionCount: UInt64 = 0

    init(_ channel: Channel, timing: LinkTiming) {
        self.channel = channel
        self.timing = timing
        isOnDemand = channel.isOnDemand
    }

    /// The way to a member; nil while no link stands.
    func route(to node: NodeID) -> [UInt8]? {
        guard let link = links[node], link.isUp else { return nil }
        return link.connection.route
    }

    func isUp(_ node: NodeID) -> Bool { links[node]?.isUp ?? false }

    /// Links that stand or are being made.
    var count: Int { links.count }

    // MARK: Whom to reach

    /// Connects to who is new, parts from who is gone, and leaves the others as they are.
    mutating func replace(_ peers: [NodeID: PeerAddress], now: Uptime) -> [Action] {
        var actions: [Action] = []
        self.peers = peers
        for node in links.keys.sorted() where peers[node] != links[node]?.address {
            part(node, &actions)
        }
        for node in wants.keys.sorted() where peers[node] == nil {
            wants[node] = nil
            actions.append(.tell(.rested(node, channel)))
        }
        rivals = [:]
        for (node, address) in peers.sorted(by: { $0.key < $1.key })
        where links[node] == nil && (!isOnDemand || wants[node] != nil) {
            seek(node, address, now: now, &actions)
        }
        return actions
    }

    /// The monitor could not tell two members at one address apart, so there is one at a time.
    private mutating func seek(
        _ node: NodeID, _ address: PeerAddress, now: Uptime, _ actions: inout [Action]
    ) {
        let endpoint = Self.endpoint(address, channel)
        if nodes[endpoint] == nil {
            join(node, address, endpoint, now: now, &actions)
        } else {
            rivals[endpoint, default: [:]][node] = address
        }
    }

    private mutating func join(
        _ node: NodeID, _ address: PeerAddress, _ endpoint: String, now: Uptime, _ actions: inout [Action]
    ) {
        let connection = connection(node, endpoint: endpoint, key: address.key)
        links[node] = Link(address, connection, now: now)
        nodes[endpoint] = node
        actions.append(.connect(connection))
    }

    /// Makes every connection anew: our own key is another one.
    mutating func renewAll(now: Uptime) -> [Action] {
        var actions: [Action] = []
        for node in links.keys.sorted() { renew(node, now: now, &actions) }
        return actions
    }

    // MARK: On demand

    /// How a frame to a member leaves now; who has no link yet gets one.
    mutating func way(to node: NodeID, now: Uptime, _ actions: inout [Action]) -> Way {
        if isOnDemand {
            wants[node]?.used = now
            if wants[node] == nil, let address = peers[node] {
                wants[node] = Want(asked: now, used: now)
                seek(node, address, now: now, &actions)
            }
        }
        if let route = route(to: node) { return .route(route) }
        return wants[node]?.isTold == false ? .soon : .none
    }

    /// Ends what nobody has used for long, and tells of what does not come about.
    private mutating func tickWants(now: Uptime, _ actions: inout [Action]) {
        for node in wants.keys.sorted() {
            guard let want = wants[node] else { continue }
            guard due(want) <= now else { continue }
            if want.isTold {
                rest(node, now: now, &actions)
            } else {
                wants[node]?.isTold = true
                actions.append(.tell(.down(node, channel)))
            }
        }
    }

    private func due(_ want: Want) -> Uptime {
        want.isTold ? want.used + timing.idle : want.asked + timing.patience
    }

    /// Nothing was under way on it any more, so nobody has to hear that it is down.
    private mutating func rest(_ node: NodeID, now: Uptime, _ actions: inout [Action]) {
        wants[node] = nil
        guard let address = peers[node] else { return }
        let endpoint = Self.endpoint(address, channel)
        if links[node] != nil {
            part(node, isTold: false, &actions)
            if let (next, its) = rivals[endpoint]?.min(by: { $0.key < $1.key }) {
                rivals[endpoint]?[next] = nil
                join(next, its, endpoint, now: now, &actions)
            }
        }
        rivals[endpoint]?[node] = nil
        if rivals[endpoint]?.isEmpty == true { rivals[endpoint] = nil }
        actions.append(.tell(.rested(node, channel)))
    }

    // MARK: What happens to them

    mutating func handle(_ event: SocketMonitor.Event, now: Uptime) -> [Action] {
        guard let node = nodes[event.endpoint], var link = links[node] else { return [] }
        var actions: [Action] = []
        link.heard = now
        switch event {
        case .connected(_, let descriptor):
            link.descriptor = descriptor
        case .established:
            link.renewal = nil
            link.hasStood = true
            if !link.isUp { actions.append(.tell(.up(node, channel))) }
            link.isUp = true
            wants[node]?.isTold = true
            wants[node]?.used = now
        case .disconnected(_, let descriptor):
            guard descriptor == link.descriptor else { break }
            link.descriptor = nil
            if link.isUp {
                actions.append(.tell(.down(node, channel)))
                link.downSince = now
            }
            link.isUp = false
        case .retrying:
            // One question is enough for both channels.
            if !link.isUp, channel == .control { actions.append(.probe(node, link.address)) }
        case .turnedAway:
            actions.append(.tell(.turnedAway(node)))
            link.renewal = now + timing.renewal
        case .broken:
            link.renewal = now + timing.renewal
        case .abandoned:
            break
        }
        links[node] = link
        return actions
    }

    /// The library has no such route, although we thought that it stands.
    mutating func unroutable(_ node: NodeID, now: Uptime) -> [Action] {
        guard let link = links[node], link.isUp else { return [] }
        links[node]?.isUp = false
        links[node]?.downSince = now
        links[node]?.renewal = now + timing.renewal
        return [.tell(.down(node, channel))]
    }

    mutating func tick(now: Uptime) -> [Action] {
        var actions: [Action] = []
        tickWants(now: now, &actions)
        for node in links.keys.sorted() {
            guard let link = links[node] else { continue }
            if let turn = turn(link), turn <= now {
                giveWay(node, link, now: now, &actions)
            } else if let due = due(link), due <= now {
                renew(node, now: now, &actions)
            }
        }
        return actions
    }

    /// When `tick` has something to do.
    var nextTick: Uptime? {
        (links.values.flatMap { [due($0), turn($0)] }.compactMap { $0 } + wants.values.map { due($0) }).min()
    }

    private func due(_ link: Link) -> Uptime? {
        if let renewal = link.renewal { return renewal }
        return link.isUp ? nil : link.heard + timing.silence
    }

    /// When another member that gave the same address may try.
    ///
    /// † A member that gives another's address as its own must not cut that one off. Only who has the key gets a link there,
    /// so all that it can take is time, and the less where the other has stood before.
    private func turn(_ link: Link) -> Uptime? {
        guard !link.isUp, rivals[link.connection.endpoint] != nil else { return nil }
        return link.downSince + timing.silence * (link.hasStood ? 10 : 1)
    }

    private mutating func giveWay(
        _ node: NodeID, _ link: Link, now: Uptime, _ actions: inout [Action]
    ) {
        let endpoint = link.connection.endpoint
        var others = rivals[endpoint] ?? [:]
        // In a circle, so that each has its turn.
        guard let next = others.keys.filter({ $0 > node }).min() ?? others.keys.min(),
            let address = others.removeValue(forKey: next)
        else { return }
        part(node, &actions)
        others[node] = link.address
        rivals[endpoint] = others
        join(next, address, endpoint, now: now, &actions)
    }

    // MARK: How

    private mutating func part(_ node: NodeID, isTold: Bool = true, _ actions: inout [Action]) {
        guard let link = links.removeValue(forKey: node) else { return }
        nodes[link.connection.endpoint] = nil
        actions.append(.disconnect(endpoint: link.connection.endpoint))
        if link.isUp, isTold { actions.append(.tell(.down(node, channel))) }
    }

    private mutating func renew(_ node: NodeID, now: Uptime, _ actions: inout [Action]) {
        guard let link = links[node] else { return }
        part(node, &actions)
        join(node, link.address, link.connection.endpoint, now: now, &actions)
        links[node]?.hasStood = link.hasStood
        // Its turn goes on.
        links[node]?.downSince = link.isUp ? now : link.downSince
    }

    /// † A route is (node, connection counter) and never used twice, not even right after its connection was
    /// given up: the library (4.3.4) lets go of routes in its own time, and ends the process where one comes
    /// twice.
    private mutating func connection(_ node: NodeID, endpoint: String, key: LinkKey) -> Connection {
        connectionCount += 1
        var route: [UInt8] = [1]  // a zero in front would mark a route that the library made up
        route += node.octets
        withUnsafeBytes(of: connectionCount.bigEndian) { route += $0 }
        return Connection(node: node, endpoint: endpoint, route: route, key: key)
    }

    static func endpoint(_ address: PeerAddress, _ channel: Channel) -> String {
        endpoint(address.address, address.port(channel))
    }

    static func endpoint(_ address: IPAddress, _ port: UInt16) -> String {
        address.isV4 ? "tcp://\(address):\(port)" : "tcp://[\(address)]:\(port)"
    }
}

extension SocketMonitor.Event {
    var endpoint: String {
        switch self {
        case .connected(let endpoint, _), .established(let endpoint), .disconnected(let endpoint, _),
            .retrying(let endpoint), .turnedAway(let endpoint), .broken(let endpoint),
            .abandoned(let endpoint):
            endpoint
        }
    }
}
