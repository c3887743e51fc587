import Glibc
import MailValues
import QueueEngine
import QueueStorage
import Synchronization

/// Messages of 4 KiB with their ledger line into the durable queue, 50 at a time, as 50 sessions do it.
///
/// The baseline makes the same messages and lets them go: the difference is what durability costs.
enum StoreBenchmark {
    static let contentOctets = 4096
    private static let messages = 20_000
    private static let inFlight = 50
    private static let start = Timestamp(seconds: 1_790_000_000)

    static func run(rounds: Int, folder: String) throws -> Comparison {
        let store = try RocksQueue.open(directory: folder, options: StoreOptions(), now: start)
        defer { store.close() }
        var made = 0
        let null = Measurement("null store", rounds: rounds, operations: messages) {
            var octets = 0
            for number in made..<made + messages { octets += changes(number).count }
            precondition(octets == messages * 2, "each message has its line")
            made += messages
        }
        let durable = Measurement("durable store", rounds: rounds, operations: messages) {
            let filling = Filling(store, from: made, count: messages)
            made += messages
            for _ in 0..<inFlight { filling.proceed() }
            filling.wait()
        }
        return Comparison(baseline: null, parts: [durable])
    }

    /// Each answer brings the next message, on the thread that answers.
    private final class Filling: Sendable {
        private let store: RocksQueue
        private let end: Int
        private let next: Atomic<Int>
        private let waiting: Atomic<Int>
        private let lane = AnsweringThread()

        init(_ store: RocksQueue, from first: Int, count: Int) {
            self.store = store
            end = first + count
            next = Atomic(first)
            waiting = Atomic(count)
        }

        func proceed() {
            let number = next.add(1, ordering: .relaxed).oldValue
            guard number < end else { return }
            store.commit(StoreBenchmark.changes(number), lane: lane) { [self] result in
                guard case .success = result else { fatalError("the store refused a message: \(result)") }
                waiting.subtract(1, ordering: .releasing)
                proceed()
            }
        }

        func wait() {
            while waiting.load(ordering: .acquiring) > 0 { poll(nil, 0, 1) }
        }
    }

    private final class AnsweringThread: Lane {
        func run(_ job: @escaping @Sendable () -> Void) { job() }
    }

    private static func changes(_ number: Int) -> [QueueChange] {
        let id = QueueID(at: start + .milliseconds(number), entropyHigh: 7, entropyLow: UInt64(number))
        let envelope = Envelope(
            id: id, acceptedAt: start, reversePath: .null,
            recipients: [
                Recipient(mailbox: Mailbox(localPart: "rcpt", domain: Domain("d\(number % 100).example")))
            ],
            sizeOctets: contentOctets, origin: Envelope.Origin(listener: "mx"))
        let content = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: contentOctets)
        let line = [UInt8](repeating: UInt8(ascii: "-"), count: 400)
        return [
            .accept(NewMessage(envelope: envelope, content: [content])),
            .ledger(LedgerLine(id: id, at: start, line: line)),
        ]
    }
}
