internal import CZeroMQ
package import MailValues
import Threads

/// The other side of the door: who wants to join asks a member, and hears its answer.
package enum DoorCall {
    /// Asks once. `key` is the member's, from the token: nobody else can read what is said, or answer.
    ///
    /// It takes a thread of its own for as long as it waits; that is once in the life of a node. `patience` is for the member
    /// to show that it is there and has that key; then it has `timeout` for its answer.
    package static func ask(
        _ address: IPAddress, port: UInt16, key: LinkKey, as pair: LinkKeyPair, _ octets: [UInt8],
        timeout: Duration, patience: Duration = .seconds(5)
    ) async throws(DoorCallError) -> [UInt8] {
        let result: Result<[UInt8], DoorCallError> = await withCheckedContinuation { continuation in
            let thread = WorkerThread(name: "door") {
                let result = Result { () throws(DoorCallError) in
                    try wait(address, port: port, key: key, as: pair, octets, timeout, patience)
                }
                continuation.resume(returning: result)
            }
            thread.letGo()
        }
        return try result.get()
    }

    private static func wait(
        _ address: IPAddress, port: UInt16, key: LinkKey, as pair: LinkKeyPair, _ octets: [UInt8],
        _ timeout: Duration, _ patience: Duration
    ) throws(DoorCallError) -> [UInt8] {
        let endpoint = OutgoingLinks.endpoint(address, port)
        do {
            let context = try ZeroMQContext()
            let socket = try ZeroMQSocket(.dealer, in: context)
            ChannelSockets.tune(socket, LinkTiming(), frameLongest: answerOctets)
            socket.set(ZMQ_IPV6, address.isV4 ? 0 : 1)
            socket.set(ZMQ_CURVE_SERVERKEY, octets: key.octets)
            socket.set(ZMQ_CURVE_PUBLICKEY, octets: pair.key.octets)
            socket.set(ZMQ_CURVE_SECRETKEY, octets: pair.secret)
            // Seldomer with each attempt: what is refused there is counted there.
            socket.set(ZMQ_RECONNECT_IVL, 250)
            socket.set(ZMQ_RECONNECT_IVL_MAX, 2_000)
            let monitor = try SocketMonitor(of: socket, name: "call", in: context)
            defer { socket.stopReporting() }
            try socket.connect(endpoint)
            _ = socket.sendLast([octets])
            let now = TransportClock.now()
            return try answer(
                from: socket, monitor, DoorCallProgress(now: now, patience: patience, timeout: timeout),
                endpoint)
        } catch let error as DoorCallError {
            throw error
        } catch let error as TransportError {
            throw .failed(error)
        } catch {
            preconditionFailure("both kinds of error stand above")
        }
    }

    /// An answer holds at most the members with their keys and addresses.
    private static let answerOctets = 1 << 20

    private static func answer(
        from socket: borrowing ZeroMQSocket, _ monitor: borrowing SocketMonitor, _ begun: DoorCallProgress,
        _ endpoint: String
    ) throws(DoorCallError) -> [UInt8] {
        var progress = begun
        let message = ZeroMQMessage()
        var pollSet = ZeroMQPollSet()
        pollSet.add(socket)
        monitor.join(&pollSet)
        while true {
            if let parts = socket.receiveParts(message, limit: 1), let answer = parts.first { return answer }
            while let event = monitor.next(message) { progress.handle(event) }
            let left = progress.deadline - TransportClock.now()
            guard left > .zero else { throw progress.failure(endpoint) }
            pollSet.wait(for: left)
        }
    }
}

/// How far a call has come, by what the library tells of its connections.
struct DoorCallProgress {
    private enum Stage { case nobody, somebody, member }

    private let start: Uptime
    private let patience: Duration
    private let timeout: Duration
    private var stage = Stage.nobody

    init(now: Uptime, patience: Duration, timeout: Duration) {
        start = now
        self.patience = min(patience, timeout)
        self.timeout = timeout
    }

    mutating func handle(_ event: SocketMonitor.Event) {
        switch (stage, event) {
        case (_, .established): stage = .member
        case (.nobody, .connected): stage = .somebody
        case (_, .connected), (_, .disconnected), (_, .retrying), (_, .turnedAway), (_, .broken),
            (_, .abandoned):
            break
        }
    }

    /// When there is nothing left to wait for.
    var deadline: Uptime {
        switch stage {
        case .nobody, .somebody: start + patience
        case .member: start + timeout
        }
    }

    func failure(_ endpoint: String) -> DoorCallError {
        switch stage {
        case .nobody: .nobody(endpoint: endpoint)
        case .somebody: .otherKey(endpoint: endpoint)
        case .member: .noAnswer(endpoint: endpoint)
        }
    }
}

/// Why no answer came. Whoever cannot show that he knows the member's key hears nothing at all: so all that can be said
/// is how far the call came.
package enum DoorCallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No connection: another address, nothing that runs there, a door that is shut, a firewall.
    case nobody(endpoint: String)
    /// A connection, and nobody who has the key: another member, another cluster, another program.
    case otherKey(endpoint: String)
    /// The member itself took the question: the door is crowded, or its disk sick.
    case noAnswer(endpoint: String)
    case failed(TransportError)

    package var description: String {
        switch self {
        case .nobody(let endpoint): "nothing takes a connection at \(Self.place(endpoint))"
        case .otherKey(let endpoint):
            "what listens at \(Self.place(endpoint)) does not show the key of the member that this token is for"
        case .noAnswer(let endpoint): "the member at \(Self.place(endpoint)) was asked and gave no answer"
        case .failed(let error): "\(error)"
        }
    }

    private static func place(_ endpoint: String) -> Substring {
        endpoint.hasPrefix("tcp://") ? endpoint.dropFirst(6) : endpoint[...]
    }
}
