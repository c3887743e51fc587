internal import CZeroMQ
import Glibc
import MailValues
import Membership

/// What others want of the thread that owns the sockets; the only thing that they share with it.
final class Mailbox: Sendable {
    struct Outgoing: Sendable {
        let node: NodeID
        let header: [UInt8]
        let octets: [UInt8]
    }

    enum Command: Sendable {
        case setPeers([NodeID: PeerAddress])
        case admit(LinkKey, NodeID, @Sendable (Bool) -> Void)
        case withdraw(LinkKey)
        case evict(NodeID)
        case rotate(LinkKeyPair, BoundPorts, @Sendable (Result<BoundPorts, TransportError>) -> Void)
        case retire(@Sendable () -> Void)
        case openDoor(UInt16, Duration, @Sendable (Result<UInt16, TransportError>) -> Void)
        case closeDoor
        case answer(DoorVisitor, [UInt8])
    }

    struct Content: Sendable {
        var commands: [Command] = []
        var control: [Outgoing] = []
        var bulk: [Outgoing] = []
        var mustStop = false
    }

    private struct State {
        var content = Content()
        var octets: (control: Int, bulk: Int) = (0, 0)
        var dropped: (control: UInt64, bulk: UInt64) = (0, 0)
        var isWoken = false
        var isClosed = false
    }

    /// Readable when something has come.
    let descriptor: CInt
    private let limits: (control: ChannelLimits, bulk: ChannelLimits)
    private let state = Guarded(State())

    init(control: ChannelLimits, bulk: ChannelLimits) throws(TransportError) {
        descriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else {
            throw .libraryFailed(during: "make an eventfd", detail: String(cString: strerror(errno)))
        }
        limits = (control, bulk)
    }

    deinit { Glibc.close(descriptor) }

    /// False: no room, and the frame is dropped and counted.
    func put(_ frame: Outgoing, on channel: Channel) -> Bool {
        let (isTaken, mustWake) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed, Self.take(frame, on: channel, &state, limits) else {
                switch channel {
                case .control: state.dropped.control += 1
                case .bulk: state.dropped.bulk += 1
                }
                return (false, false)
            }
            return (true, Self.wake(&state))
        }
        if mustWake { signal() }
        return isTaken
    }

    private static func take(
        _ frame: Outgoing, on channel: Channel, _ state: inout State,
        _ limits: (control: ChannelLimits, bulk: ChannelLimits)
    ) -> Bool {
        let size = frame.octets.count
        switch channel {
        case .control:
            guard state.content.control.count < limits.control.mailboxFrames,
                state.octets.control + size <= limits.control.mailboxOctets
            else { return false }
            state.octets.control += size
            state.content.control.append(frame)
        case .bulk:
            guard state.content.bulk.count < limits.bulk.mailboxFrames,
                state.octets.bulk + size <= limits.bulk.mailboxOctets
            else { return false }
            state.octets.bulk += size
            state.content.bulk.append(frame)
        }
        return true
    }

    /// False once the thread has ended: nothing will be done.
    @discardableResult
    func put(_ command: Command) -> Bool {
        let (isTaken, mustWake) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.content.commands.append(command)
            return (true, Self.wake(&state))
        }
        if mustWake { signal() }
        return isTaken
    }

    func stop() {
        state.withLock { $0.content.mustStop = true }
        signal()
    }

    /// The thread takes all there is.
    func takeAll() -> Content {
        var value: UInt64 = 0
        _ = read(descriptor, &value, MemoryLayout<UInt64>.size)
        return state.withLock { state in
            state.isWoken = false
            state.octets = (0, 0)
            defer { state.content = Content() }
            return state.content
        }
    }

    /// From now on nothing is taken; returns what came last.
    func shut() -> Content {
        state.withLock { state in
            state.isClosed = true
            defer { state.content = Content() }
            return state.content
        }
    }

    var dropped: (control: UInt64, bulk: UInt64) { state.withLock { $0.dropped } }

    /// One signal is enough for all that comes until the thread looks.
    private static func wake(_ state: inout State) -> Bool {
        guard !state.isWoken else { return false }
        state.isWoken = true
        return true
    }

    private func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
