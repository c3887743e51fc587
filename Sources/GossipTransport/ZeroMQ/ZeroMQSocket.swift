internal import CZeroMQ

/// One ZeroMQ socket, closed when its scope ends.
///
/// It belongs to one thread at a time, so it is neither copyable nor `Sendable`.
struct ZeroMQSocket: ~Copyable {
    enum Kind {
        case router, dealer, reply, pair

        var code: CInt {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .reply: ZMQ_REP
            case .pair: ZMQ_PAIR
            }
        }
    }

    /// What became of a frame that was to be sent.
    enum Sending: Equatable { case sent, full, unroutable, failed }

    private let raw: UnsafeMutableRawPointer
    /// Held so that the context outlives its sockets.
    private let context: ZeroMQContext

    init(_ kind: Kind, in context: ZeroMQContext) throws(TransportError) {
        guard let raw = zmq_socket(context.raw, kind.code) else { throw .last(during: "open a socket") }
        self.raw = raw
        self.context = context
        // Frames are worth nothing once the node is gone, and closing must not wait for a dead peer.
        set(ZMQ_LINGER, 0)
    }

    deinit { zmq_close(raw) }

    // MARK: Options

    /// Sets an option whose name and range are known when this is compiled.
    func set(_ option: CInt, _ value: CInt) {
        let code = withUnsafePointer(to: value) { zmq_setsockopt(raw, option, $0, MemoryLayout<CInt>.size) }
        precondition(code == 0, "option \(option) takes \(value): \(TransportError.lastText)")
    }

    func set(_ option: CInt, long value: Int64) {
        let code = withUnsafePointer(to: value) { zmq_setsockopt(raw, option, $0, MemoryLayout<Int64>.size) }
        precondition(code == 0, "option \(option) takes \(value): \(TransportError.lastText)")
    }

    func set(_ option: CInt, octets: [UInt8]) {
        let code = zmq_setsockopt(raw, option, octets, octets.count)
        precondition(
            code == 0, "option \(option) takes \(octets.count) octets: \(TransportError.lastText)")
    }

    /// Where the last `bind` went, the port chosen by the system included.
    var lastEndpoint: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            var size = buffer.count
            guard zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, buffer.baseAddress, &size) == 0 else { return "" }
            return String(cString: buffer.baseAddress!)
        }
    }

    // MARK: Endpoints

    /// False when another socket still has the address, which may be one of ours that is just closing.
    func bind(_ endpoint: String) throws(TransportError) -> Bool {
        if zmq_bind(raw, endpoint) == 0 { return true }
        if zmq_errno() == EADDRINUSE { return false }
        throw .cannotBind(endpoint: endpoint, detail: TransportError.lastText)
    }

    /// Closes the listener and every connection that came in by it.
    func unbind(_ endpoint: String) { zmq_unbind(raw, endpoint) }

    func connect(_ endpoint: String) throws(TransportError) {
        guard zmq_connect(raw, endpoint) == 0 else { throw .last(during: "connect to \(endpoint)") }
    }

    /// Whether there was such a connection; the library forgets those that ended by an error of protocol.
    @discardableResult
    func disconnect(_ endpoint: String) -> Bool { zmq_disconnect(raw, endpoint) == 0 }

    /// Sends what happens to the socket's connections to a monitor that is bound to `endpoint`.
    func report(_ events: CInt, to endpoint: String) throws(TransportError) {
        guard zmq_socket_monitor(raw, endpoint, events) == 0 else { throw .last(during: "monitor a socket") }
    }

    func stopReporting() { zmq_socket_monitor(raw, nil, 0) }

    // MARK: Sending

    /// Sends one frame to one peer of a router, and never waits.
    func send(to route: [UInt8], _ parts: [UInt8]...) -> Sending {
        guard zmq_send(raw, route, route.count, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 else { return failure() }
        return sendLast(parts)
    }

    /// Sends the last part of a message, made of `pieces` without a gap.
    func sendLast(_ pieces: [[UInt8]]) -> Sending {
        var message = zmq_msg_t()
        guard zmq_msg_init_size(&message, pieces.reduce(0) { $0 + $1.count }) == 0 else { return .failed }
        var end = zmq_msg_data(&message)!
        for piece in pieces {
            end.copyMemory(from: piece, byteCount: piece.count)
            end += piece.count
        }
        guard zmq_msg_send(&message, raw, ZMQ_DONTWAIT) < 0 else { return .sent }
        let outcome = failure()
        zmq_msg_close(&message)
        return outcome
    }

    /// Sends a part that others follow.
    func sendPart(_ octets: [UInt8]) -> Bool {
        zmq_send(raw, octets, octets.count, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0
    }

    private func failure() -> Sending {
        switch zmq_errno() {
        case EAGAIN: .full
        case EHOSTUNREACH: .unroutable
        default: .failed
        }
    }

    // MARK: Receiving

    /// Receives one part into `message`; false when nothing waits.
    func receive(into message: ZeroMQMessage) -> Bool {
        while zmq_msg_recv(message.raw, raw, ZMQ_DONTWAIT) < 0 {
            guard zmq_errno() == EINTR else { return false }
        }
        return true
    }

    /// Receives all parts of one message, at most `limit` of them; the rest is thrown away. Nil: nothing
    /// waits.
    func receiveParts(_ message: ZeroMQMessage, limit: Int) -> [[UInt8]]? {
        guard receive(into: message) else { return nil }
        var parts = [message.octets]
        while message.hasMore, receive(into: message) {
            if parts.count < limit { parts.append(message.octets) }
        }
        return parts
    }

    fileprivate var pollItem: zmq_pollitem_t {
        zmq_pollitem_t(socket: raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }
}

/// One received part; it is used again for the next.
final class ZeroMQMessage {
    fileprivate let raw = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)

    init() { zmq_msg_init(raw) }

    deinit {
        zmq_msg_close(raw)
        raw.deallocate()
    }

    var count: Int { zmq_msg_size(raw) }
    var hasMore: Bool { zmq_msg_more(raw) != 0 }
    var octets: [UInt8] { Array(buffer) }
    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: zmq_msg_data(raw), count: count) }

    /// What the handler of authentication named the connection by which this came (ZMTP 3.1, metadata).
    func withUserID<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result? {
        zmq_msg_gets(raw, "User-Id").map(body)
    }
}

/// What a thread waits for: sockets of the library, and descriptors of its own.
struct ZeroMQPollSet {
    private var items: [zmq_pollitem_t] = []

    mutating func add(_ socket: borrowing ZeroMQSocket) { items.append(socket.pollItem) }

    mutating func add(descriptor: CInt, forWriting: Bool = false) {
        let events = Int16(forWriting ? ZMQ_POLLOUT : ZMQ_POLLIN)
        items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: events, revents: 0))
    }

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    /// Waits until something can be done; nil: without end.
    mutating func wait(for span: Duration?) {
        // Rounded up: a thread that wakes a fraction too early would turn in circles until it is time.
        let milliseconds = span.map { max(0, Int(($0 + .microseconds(999)).milliseconds)) } ?? -1
        zmq_poll(&items, CInt(items.count), milliseconds)
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
