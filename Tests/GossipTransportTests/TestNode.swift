import MailValues
import Membership

@testable import GossipTransport

/// A transport on loopback with its keys, and what it was told.
final class TestNode: Sendable {
    let id: NodeID
    let pair: LinkKeyPair
    let transport: GossipTransport
    let events: EventLog

    static let loopback = IPAddress("127.0.0.1")!

    init(
        _ number: UInt8, pair: LinkKeyPair? = nil, ports: BoundPorts = BoundPorts(control: 0, bulk: 0),
        _ change: (inout TransportSettings) -> Void = { _ in }
    ) throws {
        id = NodeID(octets: [UInt8](repeating: number, count: 32))!
        let pair = try pair ?? LinkKeyPair.generate()
        self.pair = pair
        var settings = TransportSettings(bindAddress: Self.loopback)
        settings.controlPort = ports.control
        settings.bulkPort = ports.bulk
        change(&settings)
        let events = EventLog()
        self.events = events
        transport = try GossipTransport(settings, linkKey: pair) { events.add($0) }
    }

    var address: PeerAddress {
        PeerAddress(
            address: Self.loopback, controlPort: transport.ports.control, bulkPort: transport.ports.bulk,
            key: pair.key)
    }

    /// Admits the others and connects to them, without waiting.
    func meet(_ others: TestNode...) async {
        for other in others { await transport.admit(other.pair.key, for: other.id) }
        transport.setPeers(Dictionary(uniqueKeysWithValues: others.map { ($0.id, $0.address) }))
    }

    /// Two that know each other and are linked; for mail they are when there is some.
    static func couple(
        _ change: (inout TransportSettings) -> Void = { _ in }
    ) async throws -> (TestNode, TestNode) {
        let (first, second) = (try TestNode(1, change), try TestNode(2, change))
        await first.meet(second)
        await second.meet(first)
        await first.events.wait(for: .up(second.id, .control))
        await second.events.wait(for: .up(first.id, .control))
        return (first, second)
    }
}

/// What a transport told, in order; one can wait for more.
final class EventLog: Sendable {
    private struct State {
        var events: [LinkEvent] = []
        var waiters:
            [(isWanted: @Sendable ([LinkEvent]) -> Bool, continuation: CheckedContinuation<Void, Never>)] =
                []
    }

    private let state = Guarded(State())

    func add(_ event: LinkEvent) {
        let ready = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.events.append(event)
            let events = state.events
            let ready = state.waiters.filter { $0.isWanted(events) }.map(\.continuation)
            state.waiters.removeAll { $0.isWanted(events) }
            return ready
        }
        for continuation in ready { continuation.resume() }
    }

    var all: [LinkEvent] { state.withLock { $0.events } }
    var frames: [LinkFrame] {
        all.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
    }

    /// Waits until `isWanted` holds for all that was told, or the test's time is over.
    func wait(until isWanted: @escaping @Sendable ([LinkEvent]) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if Task.isCancelled || isWanted(state.events) { return true }
                    state.waiters.append((isWanted, continuation))
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters.map(\.continuation)
            }
            for continuation in waiters { continuation.resume() }
        }
    }

    func wait(for event: LinkEvent, times: Int = 1) async {
        await wait { events in events.count { $0 == event } >= times }
    }

    func count(of event: LinkEvent) -> Int { all.count { $0 == event } }

    func waitForFrames(_ count: Int) async {
        await wait { events in events.count { if case .frame = $0 { true } else { false } } >= count }
    }

    func request(_ number: Int = 0) async -> JoinRequest {
        @Sendable func requests(_ events: [LinkEvent]) -> [JoinRequest] {
            events.compactMap { if case .joinRequest(let request) = $0 { request } else { nil } }
        }
        await wait { requests($0).count > number }
        return requests(all)[number]
    }
}

/// Waits for something that tells nobody when it happens.
func until(_ condition: () -> Bool) async {
    while !condition(), !Task.isCancelled { await Task.yield() }
}
