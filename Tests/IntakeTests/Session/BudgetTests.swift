import MailValues
import Synchronization
import Testing

@testable import Intake

@Suite("The octet budget")
struct OctetBudgetTests {
    private final class CountingLane: Lane {
        let runs = Atomic<Int>(0)
        func run(_ job: @escaping @Sendable () -> Void) {
            runs.wrappingAdd(1, ordering: .relaxed)
            job()
        }
    }

    @Test("has room up to its limit and not beyond")
    func limit() {
        let budget = OctetBudget(limit: 100)
        #expect(budget.add(100))
        #expect(!budget.add(1))
        budget.remove(1)
        #expect(budget.inUse == 100)
        budget.remove(0)
        #expect(budget.inUse == 100)
    }

    @Test("wakes everybody who waits once there is room, each once, on the lane it named")
    func wakes() {
        let budget = OctetBudget(limit: 100)
        _ = budget.add(150)
        let lanes = [CountingLane(), CountingLane()]
        let woken = Mutex<[Int]>([])
        for (index, lane) in lanes.enumerated() {
            budget.waitForRoom(on: lane) { woken.withLock { $0.append(index) } }
        }
        budget.remove(49)
        #expect(woken.withLock { $0 } == [])
        budget.remove(1)
        #expect(woken.withLock { $0 } == [0, 1])
        budget.remove(100)
        #expect(woken.withLock { $0 } == [0, 1])
        #expect(lanes.map { $0.runs.load(ordering: .relaxed) } == [1, 1])
    }

    @Test("wakes at once who comes to wait when there is room again already")
    func lateWaiter() {
        let budget = OctetBudget(limit: 100)
        _ = budget.add(150)
        budget.remove(150)
        let woken = Atomic<Bool>(false)
        budget.waitForRoom(on: CountingLane()) { woken.store(true, ordering: .relaxed) }
        let isWoken = woken.load(ordering: .relaxed)
        #expect(isWoken)
    }

    @Test("comes back to nothing when many threads use it, and leaves none of them waiting")
    func threads() async {
        let budget = OctetBudget(limit: 1_000)
        let lane = CountingLane()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    for octets in 1...2_000 {
                        if !budget.add(octets) {
                            // Room comes only if what we hold goes first: the others wait for us as we for them.
                            budget.remove(octets)
                            await withCheckedContinuation { continuation in
                                budget.waitForRoom(on: lane) { continuation.resume() }
                            }
                        } else {
                            budget.remove(octets)
                        }
                    }
                }
            }
        }
        #expect(budget.inUse == 0)
    }
}

@Suite("The census of sessions")
struct SessionCensusTests {
    private func limits(total: Int, perNetwork: Int) -> SessionCensus.Limits {
        var limits = SessionCensus.Limits()
        limits.total = total
        limits.perNetwork = perNetwork
        return limits
    }

    @Test(
        "counts a /24 and a /64 as one network",
        arguments: [
            ("192.0.2.1", "192.0.2.254", true), ("192.0.2.1", "192.0.3.1", false),
            ("2001:db8::1", "2001:db8::ffff:1", true), ("2001:db8::1", "2001:db8:0:1::1", false),
        ])
    func networks(first: String, second: String, isSame: Bool) throws {
        let census = SessionCensus()
        let limits = limits(total: 10, perNetwork: 1)
        let (one, other) = (try #require(IPAddress(first)), try #require(IPAddress(second)))
        #expect(census.enter(one, isTrusted: false, limits: limits) == .admitted)
        #expect(
            census.enter(other, isTrusted: false, limits: limits)
                == (isSame ? .tooManyFromNetwork : .admitted))
    }

    @Test("holds the limit in all for trusted networks too, and forgets who left")
    func total() throws {
        let census = SessionCensus()
        let limits = limits(total: 2, perNetwork: 1)
        let client = try #require(IPAddress("192.0.2.1"))
        #expect(census.enter(client, isTrusted: true, limits: limits) == .admitted)
        #expect(census.enter(client, isTrusted: false, limits: limits) == .admitted)
        #expect(census.enter(client, isTrusted: true, limits: limits) == .tooMany)
        census.leave(client, isTrusted: false)
        #expect(census.enter(client, isTrusted: false, limits: limits) == .admitted)
        census.leave(client, isTrusted: false)
        census.leave(client, isTrusted: true)
        #expect(census.total == 0)
    }
}
