import Delivery
import MailValues
import QueueEngine
import QueueStorage
import SMTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import RelayNode

/// A node as far as leaving goes: a real store, a real dispatcher, the shell; its process can end and begin again.
final class LeavingNode: Sendable {
    let id: NodeID
    let world: LeavingWorldOfNodes
    private let folder: String

    struct Running: Sendable {
        var queue: RocksQueue
        var store: any QueueStore
        var dispatcher: Dispatcher
        var shell: LeavingShell
        var tasks: [Task<Void, Never>]
    }
    private let running = Mutex<Running?>(nil)
    private let wantsToLeave = Mutex(false)

    init(_ number: UInt8, in world: LeavingWorldOfNodes) {
        id = NodeID(octets: [UInt8](repeating: number, count: 32))!
        self.world = world
        folder = world.folder + "/\(number)"
    }

    var isUp: Bool { running.withLock { $0 != nil } }
    var progress: LeavingProgress { running.withLock { $0?.shell.progress } ?? LeavingProgress() }
    var parts: Running { running.withLock { $0! } }

    // MARK: Life and death

    /// - Parameter wrap: puts a store in front of the real one.
    func start(
        _ limits: LeavingLimits = .small, wrap: (RocksQueue) -> any QueueStore = { $0 }
    ) throws {
        let queue = try RocksQueue.open(directory: folder, options: .tiny, now: WallClock.now())
        let store = wrap(queue)
        let dispatcher = Dispatcher(
            settings: world.delivery,
            seams: DeliverySeams(
                store: store, resolver: world.resolver, dialer: world.dialer, events: EventCollector(),
                clock: SystemDeliveryClock()), seed: .random(in: 0 ... .max))
        let (id, world) = (id, world)
        let shell = try LeavingShell(
            me: id, store: store, dispatcher: dispatcher,
            seams: LeavingShell.Seams(
                send: { world.link.send($0, from: id, to: $1) },
                hasLeft: { [weak self] in self?.saidLeft.add(1, ordering: .relaxed) }), limits: limits,
            tick: .milliseconds(20))
        _ = try dispatcher.rebuild()
        world.link.connect(shell, id)
        running.withLock {
            $0 = Running(
                queue: queue, store: store, dispatcher: dispatcher, shell: shell,
                tasks: [Task { await dispatcher.run() }, Task { await shell.run() }])
        }
        for other in world.nodes where other !== self {
            shell.member(other.id, is: other.hasLeft ? .left : other.isUp ? .alive : .silent)
            other.running.withLock { $0?.shell.member(id, is: hasLeft ? .left : .alive) }
        }
        if wantsToLeave.withLock({ $0 }) { shell.leave() }
    }

    func stop() async {
        guard
            let was = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        if was.shell.progress.phase == .left { left.withLock { $0 = true } }
        world.link.disconnect(id)
        was.shell.stop()
        was.dispatcher.stop(grace: .zero)
        for task in was.tasks { await task.value }
        was.queue.close()
        for other in world.nodes where other !== self {
            other.running.withLock { $0?.shell.member(id, is: hasLeft ? .left : .silent) }
        }
    }

    private let left = Mutex(false)
    var hasLeft: Bool { left.withLock { $0 } || progress.phase == .left }

    func leave() {
        wantsToLeave.withLock { $0 = true }
        running.withLock { $0?.shell.leave() }
    }

    func stay() {
        wantsToLeave.withLock { $0 = false }
        running.withLock { $0?.shell.stay() }
    }

    /// The operator's word that it is dead.
    func evict() {
        for other in world.nodes where other !== self {
            other.running.withLock { $0?.shell.member(id, is: .evicted) }
        }
    }

    /// The store while no process has it.
    func withStore<Result>(_ body: (RocksQueue) async throws -> Result) async throws -> Result {
        let queue = try RocksQueue.open(directory: folder, options: .tiny, now: WallClock.now())
        defer { queue.close() }
        return try await body(queue)
    }

    /// How often the shell said that all is given away.
    let saidLeft = Atomic<Int>(0)

    /// It has left; its process ends, and the others are told.
    func depart() async {
        await stop()
        for other in world.nodes { other.running.withLock { $0?.shell.member(id, is: .left) } }
    }

    // MARK: Mail

    /// Puts mail in as the intake does, without waiting.
    func accept(_ message: SampleMessage) async {
        let parts = parts
        for (number, octets) in message.content.enumerated() where message.envelope.chunkCount > 0 {
            await withCheckedContinuation { continuation in
                parts.store.writeChunk(
                    message.envelope.id, number: UInt32(number), octets: [octets], lane: SpotLane()
                ) { _ in continuation.resume() }
            }
        }
        let isSmall = message.envelope.chunkCount == 0
        let accepted = NewMessage(envelope: message.envelope, content: isSmall ? message.content : [])
        let result = await withCheckedContinuation { continuation in
            parts.store.commit([.accept(accepted)], lane: SpotLane()) { continuation.resume(returning: $0) }
        }
        guard case .success = result else {
            Issue.record("\(result)")
            return
        }
        parts.dispatcher.arrived(message.envelope, content: [])
    }

    /// What lies in the store, and is not marked as somebody else's.
    func holdings() throws -> (own: [QueueID: Envelope], marked: [QueueID: Envelope]) {
        var own: [QueueID: Envelope] = [:]
        var marked: [QueueID: Envelope] = [:]
        let queue = parts.queue
        try queue.scan { envelope in
            if envelope.offered == nil { own[envelope.id] = envelope } else { marked[envelope.id] = envelope }
            return true
        }
        return (own, marked)
    }

    func content(of envelope: Envelope) throws -> [[UInt8]] {
        try (0..<max(envelope.chunkCount, 1)).map {
            try #require(try parts.queue.contentPiece(envelope.id, number: $0))
        }
    }
}

final class SpotLane: Lane {
    func run(_ job: @escaping @Sendable () -> Void) { job() }
}

extension LeavingLimits {
    /// So that a few hundred messages need many windows, and no test waits long.
    static var small: LeavingLimits {
        var limits = LeavingLimits()
        limits.windowMessages = 32
        limits.windowOctets = 256 << 10
        limits.markBatch = 8
        limits.rangesPerProbe = 4
        limits.listedReceipts = 2
        limits.rangeFanOut = 3
        limits.testamentReceipts = 20
        limits.answersPerFrame = 5
        limits.packOctets = 16 << 10
        limits.patience = .milliseconds(60)
        limits.patienceForAnswers = .milliseconds(200)
        limits.restWhenFull = .milliseconds(50)
        limits.restWhenBusy = .milliseconds(20)
        return limits
    }
}

extension StoreOptions {
    static var tiny: StoreOptions {
        var options = StoreOptions()
        options.contentBufferOctets = 1 << 20
        options.smallBufferOctets = 512 << 10
        options.logOctetsLargest = 4 << 20
        return options
    }
}
