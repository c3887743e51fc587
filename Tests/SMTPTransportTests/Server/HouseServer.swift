import Dispatch
import MailValues
import NIOCore
import NIOPosix
import SMTPProtocol
import SMTPTransport
import Synchronization
import TestSupport

/// A listener on loopback, with a house behind it that a test can watch and hold up.
final class HouseServer: Sendable {
    let server: SMTPServer
    let house: WatchedHouse
    let port: UInt16
    private let listener: OpenListener
    private let group: MultiThreadedEventLoopGroup
    private let client: any EventLoopGroup

    init(
        tls: TLSServerContext? = nil, house: WatchedHouse = WatchedHouse(),
        _ options: (inout SessionOptions) -> Void = { _ in },
        listener change: (inout SMTPListenerSettings) -> Void = { _ in }
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.group = group
        client = MultiThreadedEventLoopGroup.singleton
        self.house = house
        var wishes = SessionOptions(hostname: Domain("mx.example.test"))
        // A test may wait long for its turn on a busy machine.
        wishes.limits.drainTimeout = .seconds(3_600)
        wishes.limits.handshakeTimeout = .seconds(3_600)
        options(&wishes)
        let session = SessionSettings(wishes)
        var settings = SMTPListenerSettings(name: "mx", receivers: house) { _ in session }
        settings.tls = tls.map(TLSServerContextStore.init)
        settings.proxyHeaderTimeout = .seconds(3_600)
        change(&settings)
        server = SMTPServer(group: group, lanes: EventLoopLanes(group), clock: Self.now)
        listener = try await server.serve(
            BoundSocket(address: IPAddress("127.0.0.1")!, port: 0), settings)
        port = listener.port
    }

    private static func now() -> Timestamp {
        Timestamp(milliseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000))
    }

    /// A client that has heard nothing yet.
    func connect() async throws -> Talker { try await Talker(port: port, group: client) }

    /// A client that was greeted and has said EHLO.
    func greeted() async throws -> Talker {
        let talker = try await connect()
        _ = try await talker.reply()
        _ = try await talker.ask("EHLO client.example.test")
        return talker
    }

    /// Keeps the server's loop busy until the answer is called.
    func holdLoops() -> () -> Void {
        let gate = DispatchSemaphore(value: 0)
        for loop in group.makeIterator() { loop.execute { gate.wait() } }
        return { gate.signal() }
    }

    func stop() async {
        await listener.close()
        try? await group.shutdownGracefully()
    }
}

/// Takes everything and notes it; answers the end of a message only when it may.
final class WatchedHouse: MailReceiverFactory {
    struct Seen: Sendable {
        var facts: [ConnectionFacts] = []
        var tls: [TLSFacts] = []
        var content: [UInt8] = []
        var messages = 0
        var aborted = 0
        var withdrawn = 0
        var disconnected = 0
        /// Octets that came although the house had said it is full.
        var octetsWhileFull = 0
    }

    private struct State {
        var seen = Seen()
        var isHolding = false
        /// How often the house still says that it is full.
        var fullTimes = 0
        var isFull = false
        var waiting: [(asker: any AnswerTaker, ticket: Ticket)] = []
        var watchers:
            [(condition: @Sendable (Seen) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    init(isHolding: Bool = false, fullTimes: Int = 0) {
        state.withLock {
            $0.isHolding = isHolding
            $0.fullTimes = fullTimes
        }
    }

    var seen: Seen { state.withLock { $0.seen } }

    func until(_ condition: @escaping @Sendable (Seen) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isSo = state.withLock { state in
                if !condition(state.seen) { state.watchers.append((condition, continuation)) }
                return condition(state.seen)
            }
            if isSo { continuation.resume() }
        }
    }

    /// Lets the ends of messages be answered, those that wait and those to come.
    func release() {
        let waiting = state.withLock { state in
            state.isHolding = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for (asker, ticket) in waiting { asker.lane.run { asker.answer(ticket, .accept) } }
    }

    func receiver(for facts: ConnectionFacts, listener: ListenerName) -> any MailReceiver {
        note { $0.facts.append(facts) }
        return WatchedReceiver(self)
    }

    fileprivate func note(_ change: (inout Seen) -> Void) {
        let woken = state.withLock { state in
            change(&state.seen)
            let seen = state.seen
            let woken = state.watchers.filter { $0.condition(seen) }.map(\.continuation)
            state.watchers.removeAll { $0.condition(seen) }
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    fileprivate func ended(_ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        let mustWait = state.withLock { state in
            if state.isHolding { state.waiting.append((asker, ticket)) }
            return state.isHolding
        }
        note { $0.messages += 1 }
        return mustWait ? nil : .accept
    }

    /// False, now and then, if the test wants it so.
    fileprivate func took(_ piece: [UInt8], _ asker: any AnswerTaker) -> Bool {
        note { $0.content += piece }
        let becomesFull = state.withLock { state in
            if state.isFull { state.seen.octetsWhileFull += piece.count }
            guard state.fullTimes > 0, !state.isFull else { return false }
            state.fullTimes -= 1
            state.isFull = true
            return true
        }
        guard becomesFull, let loop = (asker.lane as? EventLoopLane)?.loop else { return true }
        loop.scheduleTask(in: .milliseconds(20)) { [self] in
            state.withLock { $0.isFull = false }
            asker.resumeReading()
        }
        return false
    }
}

private final class WatchedReceiver: MailReceiver {
    let house: WatchedHouse
    init(_ house: WatchedHouse) { self.house = house }

    func tlsEstablished(_ facts: TLSFacts) { house.note { $0.tls.append(facts) } }
    func ask(_ question: Question, ticket: Ticket, asker: any AnswerTaker) -> Answer? {
        if case .endOfMessage = question { return house.ended(ticket, asker) }
        return .accept
    }
    func beginMessage() {}
    func content(_ piece: [UInt8], asker: any AnswerTaker) -> Bool { house.took(piece, asker) }
    func abortTransaction() { house.note { $0.aborted += 1 } }
    func withdraw(_ ticket: Ticket, asker: any AnswerTaker) { house.note { $0.withdrawn += 1 } }
    func disconnected() { house.note { $0.disconnected += 1 } }
}
