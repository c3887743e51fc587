import MailValues
import Membership

/// The outgoing connections of one channel: to whom, by which route, and whether they stand.
///
/// A machine: it is told what the monitor saw, and says what is to be connected, parted and told.
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
    }

    private let channel: Channel
    private let timing: LinkTiming
    private var links: [NodeID: Link] = [:]
    private var nodes: [String: NodeID] = [:]
    private(set) var connectionCount: UInt64 = 0

    init(_ channel: Channel, timing: LinkTiming) {
        self.channel = channel
        self.timing = timing
    }

    /// The way to a member; nil while no link stands.
    func route(to node: NodeID) -> [UInt8]? {
        guard let link = links[node], link.isUp else { return nil }
        return link.connection.route
    }

    func isUp(_ node: NodeID) -> Bool { links[node]?.isUp ?? false }

    // MARK: Whom to reach

    /// Connects to who is new, parts from who is gone, and leaves the others as they are.
    mutating func replace(_ peers: [NodeID: PeerAddress], now: Uptime) -> [Action] {
        var actions: [Action] = []
        for node in links.keys.sorted() where peers[node] != links[node]?.address {
            part(node, &actions)
        }
        for (node, address) in peers.sorted(by: { $0.key < $1.key }) where links[node] == nil {
            let endpoint = Self.endpoint(address, channel)
            // Two members at one address is a mistake of the operator's: the monitor could not tell them
            // apart.
            guard nodes[endpoint] == nil else { continue }
            let connection = connection(node, endpoint: endpoint, key: address.key)
            links[node] = Link(address: address, connection: connection, heard: now)
            nodes[endpoint] = node
            actions.append(.connect(connection))
        }
        return actions
    }

    /// Makes every connection anew: our own key is another one.
    mutating func renewAll(now: Uptime) -> [Action] {
        var actions: [Action] = []
        for node in links.keys.sorted() { renew(node, now: now, &actions) }
        return actions
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
            if !link.isUp { actions.append(.tell(.up(node, channel))) }
            link.isUp = true
        case .disconnected(_, let descriptor):
            guard descriptor == link.descriptor else { break }
            link.descriptor = nil
            if link.isUp { actions.append(.tell(.down(node, channel))) }
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
        links[node]?.renewal = now + timing.renewal
        return [.tell(.down(node, channel))]
    }

    mutating func tick(now: Uptime) -> [Action] {
        var actions: [Action] = []
        for node in links.keys.sorted() {
            guard let link = links[node], let due = due(link), due <= now else { continue }
            renew(node, now: now, &actions)
        }
        return actions
    }

    /// When `tick` has something to do.
    var nextTick: Uptime? { links.values.compactMap(due).min() }

    private func due(_ link: Link) -> Uptime? {
        if let renewal = link.renewal { return renewal }
        return link.isUp ? nil : link.heard + timing.silence
    }

    // MARK: How

    private mutating func part(_ node: NodeID, _ actions: inout [Action]) {
        guard let link = links.removeValue(forKey: node) else { return }
        nodes[link.connection.endpoint] = nil
        actions.append(.disconnect(endpoint: link.connection.endpoint))
        if link.isUp { actions.append(.tell(.down(node, channel))) }
    }

    private mutating func renew(_ node: NodeID, now: Uptime, _ actions: inout [Action]) {
        guard let link = links[node] else { return }
        part(node, &actions)
        let connection = connection(node, endpoint: link.connection.endpoint, key: link.address.key)
        links[node] = Link(address: link.address, connection: connection, heard: now)
        nodes[connection.endpoint] = node
        actions.append(.connect(connection))
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
