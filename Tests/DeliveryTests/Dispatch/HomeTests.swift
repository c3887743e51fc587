import Dispatch
import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import Delivery

@Suite("Where mail goes out")
struct HomeTests {
    /// A thread that takes jobs and tasks, as an event loop does.
    private final class Loop: Lane, TaskExecutor {
        private static let key = DispatchSpecificKey<ObjectIdentifier>()
        private let queue = DispatchQueue(label: "loop")

        init() { queue.setSpecific(key: Self.key, value: ObjectIdentifier(self)) }

        static var current: ObjectIdentifier? { DispatchQueue.getSpecific(key: key) }

        func run(_ job: @escaping @Sendable () -> Void) { queue.async(execute: job) }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            let executor = asUnownedTaskExecutor()
            queue.async { job.runSynchronously(on: executor) }
        }
    }

    @Test("a message goes out where it came in, if a connection is idle there, and else wherever one is")
    func staysAtHome() async {
        let loops = [Loop(), Loop()]
        let (gate, held) = (Gate(), Gate())
        let seen = Mutex([ObjectIdentifier?]())
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            seen.withLock { $0.append(Loop.current) }
            await (transaction.recipients[0].mailbox.localPart == "held" ? held : gate).pass()
            return .allTaken(transaction)
        })
        let house = DeliveryHouse(dialer: dialer, executors: loops) { $0.limits.connectionsPerSite = 2 }
        await house.run {
            for number in 1...3 { house.accept(to: ["user\(number)@single.example"]) }
            await dialer.until { dials, _ in dials == 2 }
            gate.open()
            var count = 3
            for lane in [0, 0, 1, 0, 1, 1, 1, 0] {
                while house.dialer.deliveries.count < count || house.dispatcher.status.connectionsIdle < 2 {
                    await Task.yield()
                }
                house.accept(to: ["user\(count)@single.example"], on: loops[lane])
                count += 1
            }
            while house.dialer.deliveries.count < count || house.dispatcher.status.connectionsIdle < 2 {
                await Task.yield()
            }
            // The one at home is busy now.
            house.accept(to: ["held@single.example"], on: loops[0])
            await held.untilSomebodyWaits()
            house.accept(to: ["user\(count)@single.example"], on: loops[0])
            let all = count + 1
            await dialer.until { _, transactions in transactions == all }
            held.open()
            await house.idle()
        }
        let wanted = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1].map { ObjectIdentifier(loops[$0]) }
        #expect(seen.withLock { Array($0.dropFirst(3)) } == wanted)
        #expect(dialer.dials.count == 2)
    }
}
