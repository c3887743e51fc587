internal import CZeroMQ
import MailValues

/// The one port where strangers may speak, open while a token lives.
///
/// Whoever knows our link key may enter, under any key of his own; each visitor may say one thing, which is
/// taken for a request to join, and hear one answer by the same connection.
final class Door {
    static let domain = "door"

    let socket: ZeroMQSocket
    let number: UInt64
    let closesAt: Uptime
    var guardian: DoorGuard
    /// Who has spoken and waits for his answer.
    var visitors: Set<[UInt8]> = []
    private let monitor: SocketMonitor
    private let endpoint: String
    private(set) var isUnbound: Bool

    init(
        _ address: IPAddress, port: UInt16, settings: TransportSettings, pair: LinkKeyPair, number: UInt64,
        closesAt: Uptime, now: Uptime, in context: ZeroMQContext
    ) throws(TransportError) {
        socket = try ZeroMQSocket(.router, in: context)
        ChannelSockets.tune(
            socket, settings.timing, frameLongest: settings.door.frameOctets)
        // One would be enough, but with one the library (4.3.4) lets nothing through.
        socket.set(ZMQ_RCVHWM, 16)
        socket.set(ZMQ_SNDHWM, 16)
        socket.set(ZMQ_ROUTER_MANDATORY, 1)
        socket.set(ZMQ_CURVE_SERVER, 1)
        socket.set(ZMQ_CURVE_SECRETKEY, octets: pair.secret)
        socket.set(ZMQ_ZAP_DOMAIN, octets: Array(Self.domain.utf8))
        socket.set(ZMQ_IPV6, address.isV4 ? 0 : 1)
        monitor = try SocketMonitor(of: socket, name: "door-\(number)", in: context)
        endpoint = OutgoingLinks.endpoint(address, port)
        // The last door may have been shut a moment ago, and the library lets go of its port in its own time.
        isUnbound = try !socket.bind(endpoint)
        self.number = number
        self.closesAt = closesAt
        guardian = DoorGuard(settings.door, now: now)
    }

    deinit { socket.stopReporting() }

    var port: UInt16 {
        let bound = isUnbound ? endpoint : socket.lastEndpoint
        return bound.lastIndex(of: ":").flatMap { UInt16(bound[$0...].dropFirst()) } ?? 0
    }

    func bindAgain() {
        if isUnbound, (try? socket.bind(endpoint)) ?? false { isUnbound = false }
    }

    func join(_ set: inout ZeroMQPollSet) {
        set.add(socket)
        monitor.join(&set)
    }

    /// Handshakes that failed since the last look; those of them whose other end did not know our key, or said nothing.
    func failures(_ message: ZeroMQMessage) -> (all: UInt64, strangers: UInt64) {
        var count = (all: UInt64(0), strangers: UInt64(0))
        while let event = monitor.next(message) {
            switch event {
            case .turnedAway: count.all += 1
            case .broken, .abandoned:
                count.all += 1
                count.strangers += 1
            case .connected, .established, .disconnected, .retrying: break
            }
        }
        return count
    }
}
