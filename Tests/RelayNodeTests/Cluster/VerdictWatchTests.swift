import Delivery
import Filtering
import Intake
import MailValues
import QueueEngine
import Reputation
import SMTPProtocol
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import RelayNode

@Suite("Verdicts on what waits in the queue")
struct VerdictWatchTests {
    typealias World = KnowledgeFixture
    private static let other = Fingerprint(.attachment, digest: [UInt8](repeating: 4, count: 32))!

    /// A queue in memory behind a dispatcher that does not run: what waits, waits.
    private struct House {
        let world = World()
        let store: MemoryQueue
        let metrics = NodeMetrics()
        let dispatcher: Dispatcher
        let watch: VerdictWatch

        init(rule: VerdictRule = .reject, store: MemoryQueue = MemoryQueue()) {
            self.store = store
            let mailbox = Mailbox(localPart: "postmaster", domain: Domain("example.test"))
            dispatcher = Dispatcher(
                settings: DeliverySettings(hostName: Domain("example.test"), postmaster: mailbox) { _ in true
                },
                seams: DeliverySeams(
                    store: store, resolver: ZoneResolver(), dialer: ScriptedDialer(),
                    events: EventCollector(),
                    clock: ManualClock()), seed: 1)
            watch = VerdictWatch(
                knowledge: world.knowledge, dispatcher: dispatcher, metrics: metrics, rule: { _ in rule })
        }

        private static let counter = Atomic<UInt64>(0)

        @discardableResult
        func accept(_ fingerprints: [Fingerprint], hold: Envelope.Hold? = nil) -> QueueID {
            let id = QueueID(high: 1 << 40, low: Self.counter.add(1, ordering: .relaxed).newValue)
            var envelope = Envelope(
                id: id, acceptedAt: Timestamp(seconds: 1), reversePath: .null,
                recipients: [Recipient(mailbox: Mailbox(localPart: "a", domain: Domain("example.net")))],
                sizeOctets: 1, origin: Envelope.Origin(listener: "mx"))
            envelope.fingerprints = fingerprints
            envelope.hold = hold
            store.commit([.accept(NewMessage(envelope: envelope, content: [[1]]))], lane: NowLane()) { _ in }
            dispatcher.arrived(envelope, content: [])
            return id
        }

        func hold(of id: QueueID) -> Envelope.Hold? { store.contents.envelopes[id]?.hold }

        /// While the watch runs.
        func watching(_ body: () async -> Void) async {
            async let running: Void = watch.run()
            await body()
            watch.stop()
            await running
        }

        func until(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }
    }

    private final class NowLane: Lane {
        func run(_ job: @escaping @Sendable () -> Void) { job() }
    }

    @Test("an order holds what bears the fingerprint and nothing else, says why, and its revocation frees it")
    func orders() async {
        let house = House()
        let meant = [house.accept([World.fingerprint]), house.accept([Self.other, World.fingerprint])]
        let others = [house.accept([Self.other]), house.accept([])]
        let byHand = house.accept(
            [World.fingerprint],
            hold: Envelope.Hold(by: "operator:0", reason: "look", since: Timestamp(seconds: 1)))
        await house.watching {
            house.world.condemn()
            await house.until { meant.allSatisfy { house.hold(of: $0) != nil } }
            #expect(house.hold(of: meant[0])?.by == "verdict:\(World.fingerprint)")
            #expect(house.hold(of: meant[0])?.reason == "condemned by anna, order 1: because")
            #expect(others.allSatisfy { house.hold(of: $0) == nil })
            house.world.revoke(.fingerprint(World.fingerprint))
            await house.until { meant.allSatisfy { house.hold(of: $0) == nil } }
            #expect(house.hold(of: byHand)?.by == "operator:0", "what an operator held stays")
        }
        #expect(house.metrics.verdictsHeld.value == 2 && house.metrics.verdictsFreed.value == 2)
    }

    @Test("one other node's word holds; taking back all that it said frees")
    func words() async {
        let house = House()
        let id = house.accept([World.fingerprint])
        await house.watching {
            house.world.hearVerdict(from: 2)
            await house.until { house.hold(of: id) != nil }
            house.world.revoke(.origin(World.node(2)))
            await house.until { house.hold(of: id) == nil }
        }
    }

    @Test("a message with two condemned fingerprints is freed with the second")
    func both() async {
        let house = House()
        let id = house.accept([World.fingerprint, Self.other])
        let witness = house.accept([World.fingerprint])
        await house.watching {
            house.world.condemn()
            house.world.condemn(Self.other)
            await house.until { house.hold(of: id) != nil && house.hold(of: witness) != nil }
            house.world.revoke(.fingerprint(World.fingerprint))
            await house.until { house.hold(of: witness) == nil }
            #expect(house.hold(of: id) != nil)
            house.world.revoke(.fingerprint(Self.other))
            await house.until { house.hold(of: id) == nil }
        }
    }

    @Test("a listener that only notes verdicts keeps its mail moving, but for what the operator condemned")
    func noted() async {
        let house = House(rule: .note)
        let id = house.accept([World.fingerprint])
        let ordered = house.accept([Self.other])
        await house.watching {
            house.world.hearVerdict(from: 2, 3)
            house.world.condemn(Self.other)
            await house.until { house.hold(of: ordered) != nil }
            #expect(house.hold(of: id) == nil)
        }
    }

    @Test(
        "what an operator lets go is not held again by the same verdicts, also after a start, but by another")
    func overruled() async {
        let third = Fingerprint(.attachment, digest: [UInt8](repeating: 8, count: 32))!
        let house = House()
        let id = house.accept([World.fingerprint, Self.other, third])
        let witness = house.accept([World.fingerprint])
        let release = OperationOrder(
            .release, by: "operator:0", reason: "our own newsletter", overruling: [Self.other])
        await house.watching {
            house.world.condemn()
            await house.until { house.hold(of: id) != nil && house.hold(of: witness) != nil }
            house.world.condemn(Self.other)
            await #expect(throws: Never.self) {
                try await house.dispatcher.carryOut(release, on: .ids([id]))
            }
            #expect(house.hold(of: id) == nil && house.hold(of: witness) != nil)
            #expect(house.store.contents.envelopes[id]?.fingerprints == [third])
        }
        let second = House(store: house.store)
        second.world.condemn()
        second.world.condemn(Self.other)
        await second.watching {
            #expect(throws: Never.self) { _ = try second.dispatcher.rebuild() }
            second.watch.queueLoaded()
            second.world.condemn(third)
            await second.until { second.hold(of: id) != nil }
            #expect(second.hold(of: id)?.by == "verdict:\(third)")
        }
    }

    @Test(
        "what the store holds at a start is found by verdicts that were known before, and freed by revocations"
    )
    func restart() async throws {
        let first = House()
        let kept = first.accept([World.fingerprint])
        let held = first.accept(
            [Self.other],
            hold: Envelope.Hold(by: "verdict:\(Self.other)", reason: "x", since: Timestamp(seconds: 1)))
        let second = House(store: first.store)
        second.world.condemn()
        second.world.revoke(.fingerprint(Self.other))
        await second.watching {
            #expect(throws: Never.self) { _ = try second.dispatcher.rebuild() }
            second.watch.queueLoaded()
            await second.until { second.hold(of: kept) != nil && second.hold(of: held) == nil }
        }
    }
}
