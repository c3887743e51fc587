internal import CZeroMQ
import MailValues
import Membership

/// The two sockets of one channel: *in* binds and only receives, *out* connects and only sends.
///
/// A frame to a member leaves by the connection that we made, to a key that we know; a frame from a member
/// comes by the connection that it made, under the name that its key has. Neither needs to trust what the
/// other side says of itself.
final class ChannelSockets {
    struct Listener {
        let endpoint: String
        let pair: LinkKeyPair
    }

    /// The name by which the handler of authentication knows members' sockets.
    static let domain = "members"

    let channel: Channel
    let limits: ChannelLimits
    private let timing: LinkTiming
    let inward: ZeroMQSocket
    let outward: ZeroMQSocket
    let inwardMonitor: SocketMonitor
    let outwardMonitor: SocketMonitor
    var links: OutgoingLinks
    var waiting: WaitingFrames
    /// Bound now; while a key is replaced there are two.
    private(set) var listeners: [Listener] = []
    /// To be bound again as soon as the library has let go of the port, and since when that has failed.
    private(set) var missing: [(listener: Listener, since: Uptime, isTold: Bool)] = []

    init(_ channel: Channel, _ settings: TransportSettings, in context: ZeroMQContext) throws(TransportError)
    {
        self.channel = channel
        limits = channel == .control ? settings.control : settings.bulk
        inward = try ZeroMQSocket(.router, in: context)
        outward = try ZeroMQSocket(.router, in: context)
        let frameLongest = FrameHeader.sizeOctets + limits.frameOctets
        Self.tune(inward, settings.timing, frameLongest: frameLongest)
        Self.tune(outward, settings.timing, frameLongest: frameLongest)
        // † One side asks: the other answers, and gives up who has not asked for as long as the question says. Two
        // questions a second on each connection were most of what an idle node sends.
        inward.set(ZMQ_HEARTBEAT_IVL, 0)
        inward.set(ZMQ_RCVHWM, CInt(limits.receiveQueue))
        inward.set(ZMQ_CURVE_SERVER, 1)
        inward.set(ZMQ_ZAP_DOMAIN, octets: Array(Self.domain.utf8))
        outward.set(ZMQ_SNDHWM, CInt(limits.sendQueue))
        // † Without it a frame to nobody is a frame that was sent; with it a full peer is an error that we
        // can count, as long as no send may wait.
        outward.set(ZMQ_ROUTER_MANDATORY, 1)
        outward.set(ZMQ_RECONNECT_IVL, CInt(settings.timing.reconnectFirst.wholeMilliseconds))
        outward.set(ZMQ_RECONNECT_IVL_MAX, CInt(settings.timing.reconnectLongest.wholeMilliseconds))
        outward.set(ZMQ_CONNECT_TIMEOUT, CInt(settings.timing.connect.wholeMilliseconds))
        inwardMonitor = try SocketMonitor(of: inward, name: "\(channel)-in", in: context)
        outwardMonitor = try SocketMonitor(of: outward, name: "\(channel)-out", in: context)
        links = OutgoingLinks(channel, timing: settings.timing)
        waiting = WaitingFrames(framesMost: limits.sendQueue, octetsMost: limits.waitingOctets)
        timing = settings.timing
    }

    /// † Without these a dead link is found after minutes.
    static func tune(_ socket: borrowing ZeroMQSocket, _ timing: LinkTiming, frameLongest: Int) {
        socket.set(ZMQ_HEARTBEAT_IVL, CInt(timing.heartbeat.wholeMilliseconds))
        socket.set(ZMQ_HEARTBEAT_TIMEOUT, CInt(timing.heartbeatTimeout.wholeMilliseconds))
        socket.set(ZMQ_HEARTBEAT_TTL, CInt(timing.heartbeatTimeout.wholeMilliseconds))
        socket.set(ZMQ_TCP_MAXRT, CInt(timing.retransmission.wholeMilliseconds))
        socket.set(ZMQ_HANDSHAKE_IVL, CInt(timing.handshake.wholeMilliseconds))
        socket.set(ZMQ_MAXMSGSIZE, long: Int64(frameLongest + curveOctets))
        socket.set(ZMQ_BACKLOG, 128)
    }

    /// What CURVE adds to a frame (RFC 26/CURVEZMQ of ZeroMQ: MESSAGE), generously.
    private static let curveOctets = 64

    // MARK: In

    /// Binds under a key; the port that was had.
    func listen(_ address: IPAddress, port: UInt16, as pair: LinkKeyPair) throws(TransportError) -> UInt16 {
        let endpoint = OutgoingLinks.endpoint(address, port)
        try bind(endpoint, pair, isV4: address.isV4)
        let bound = inward.lastEndpoint
        listeners.append(Listener(endpoint: bound, pair: pair))
        guard let colon = bound.lastIndex(of: ":"), let port = UInt16(bound[colon...].dropFirst()) else {
            throw .cannotBind(endpoint: endpoint, detail: "it became \(bound)")
        }
        return port
    }

    private func bind(_ endpoint: String, _ pair: LinkKeyPair, isV4: Bool) throws(TransportError) {
        guard try tryBind(endpoint, pair, isV4: isV4) else {
            throw .cannotBind(endpoint: endpoint, detail: "the address is in use")
        }
    }

    private func tryBind(_ endpoint: String, _ pair: LinkKeyPair, isV4: Bool) throws(TransportError) -> Bool {
        // A listener keeps the key that the socket has while it is bound, so one socket can listen under two.
        inward.set(ZMQ_CURVE_SECRETKEY, octets: pair.secret)
        inward.set(ZMQ_IPV6, isV4 ? 0 : 1)
        return try inward.bind(endpoint)
    }

    /// Ends every connection that came in, and listens again: the only way to be rid of one of them.
    func rebind(now: Uptime) {
        for listener in listeners {
            inward.unbind(listener.endpoint)
            missing.append((listener, since: now, isTold: false))
        }
        listeners = []
        _ = bindMissing(now: now)
    }

    /// Tries again where the library still had the port. Returns those that have failed for long, once each.
    func bindMissing(now: Uptime) -> [LinkEvent] {
        var events: [LinkEvent] = []
        for index in missing.indices.reversed() {
            let (listener, since, isTold) = missing[index]
            let isV4 = !listener.endpoint.contains("[")
            if (try? tryBind(listener.endpoint, listener.pair, isV4: isV4)) ?? false {
                listeners.append(listener)
                missing.remove(at: index)
            } else if !isTold, now - since >= Self.patience {
                missing[index].isTold = true
                events.append(.deaf(endpoint: listener.endpoint, after: now - since))
            }
        }
        return events
    }

    private static let patience: Duration = .seconds(2)

    /// Stops listening under all keys but one.
    func retire(allBut pair: LinkKeyPair) {
        for listener in listeners where listener.pair != pair { inward.unbind(listener.endpoint) }
        listeners.removeAll { $0.pair != pair }
        missing.removeAll { $0.listener.pair != pair }
    }

    // MARK: Out

    func connect(_ connection: OutgoingLinks.Connection, as pair: LinkKeyPair) throws(TransportError) {
        outward.set(ZMQ_CURVE_SERVERKEY, octets: connection.key.octets)
        outward.set(ZMQ_CURVE_PUBLICKEY, octets: pair.key.octets)
        outward.set(ZMQ_CURVE_SECRETKEY, octets: pair.secret)
        outward.set(ZMQ_IPV6, connection.endpoint.contains("[") ? 1 : 0)
        outward.set(ZMQ_CONNECT_ROUTING_ID, octets: connection.route)
        // A connection keeps what the socket has while it is made. A question and its answer may be as late as ever: a link
        // that died in silence is known to be dead as soon after its next question.
        let heartbeat = timing.heartbeat(among: links.count)
        let patience = heartbeat + timing.heartbeatTimeout - timing.heartbeat
        outward.set(ZMQ_HEARTBEAT_IVL, CInt(heartbeat.wholeMilliseconds))
        outward.set(ZMQ_HEARTBEAT_TTL, CInt(patience.wholeMilliseconds))
        try outward.connect(connection.endpoint)
    }
}
