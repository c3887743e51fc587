internal import CZeroMQ

/// What libzmq tells of a socket's connections: it comes from the library's own thread, so it is read like
/// mail.
struct SocketMonitor: ~Copyable {
    enum Event: Equatable {
        /// TCP stands; the handshake has yet to pass.
        case connected(endpoint: String, descriptor: CInt)
        /// Both sides have shown their keys.
        case established(endpoint: String)
        case disconnected(endpoint: String, descriptor: CInt)
        /// An attempt failed, or a connection has just ended; another attempt follows by itself.
        case retrying(endpoint: String)
        /// The other side will not have our key.
        case turnedAway(endpoint: String)
        /// The other side does not speak as it should. The library makes no further attempt.
        case broken(endpoint: String)
        /// A handshake ended without a word: another server key, a scan of ports, a time-out.
        case abandoned(endpoint: String)
    }

    private let socket: ZeroMQSocket

    /// `name` is used once in a context.
    init(of watched: borrowing ZeroMQSocket, name: String, in context: ZeroMQContext) throws(TransportError) {
        let endpoint = "inproc://monitor-\(name)"
        let events =
            ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED
            | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
            | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
        try watched.report(events, to: endpoint)
        let socket = try ZeroMQSocket(.pair, in: context)
        // The library waits where its events find no room, and holds a lock that closing a socket needs. So
        // there is always room; what lies there is what came in since our last turn.
        socket.set(ZMQ_RCVHWM, 0)
        try socket.connect(endpoint)
        self.socket = socket
    }

    func next(_ message: ZeroMQMessage) -> Event? {
        while let parts = socket.receiveParts(message, limit: 2) {
            if let event = Self.event(parts) { return event }
        }
        return nil
    }

    func join(_ set: inout ZeroMQPollSet) { set.add(socket) }

    /// zmq_socket_monitor(3): event in 16 bits and value in 32, in the machine's order; then the endpoint.
    private static func event(_ parts: [[UInt8]]) -> Event? {
        guard parts.count == 2, parts[0].count == 6 else { return nil }
        let (kind, value) = parts[0].withUnsafeBytes {
            (
                $0.loadUnaligned(fromByteOffset: 0, as: UInt16.self),
                $0.loadUnaligned(fromByteOffset: 2, as: Int32.self)
            )
        }
        let endpoint = String(decoding: parts[1], as: UTF8.self)
        switch CInt(kind) {
        case ZMQ_EVENT_CONNECTED: return .connected(endpoint: endpoint, descriptor: value)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .established(endpoint: endpoint)
        case ZMQ_EVENT_DISCONNECTED: return .disconnected(endpoint: endpoint, descriptor: value)
        case ZMQ_EVENT_CONNECT_RETRIED: return .retrying(endpoint: endpoint)
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .turnedAway(endpoint: endpoint)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: return .broken(endpoint: endpoint)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return .abandoned(endpoint: endpoint)
        default: return nil
        }
    }
}
