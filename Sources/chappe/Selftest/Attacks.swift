import Synchronization
import Threads

/// Attempts side by side, each on a connection of its own.
///
/// A node answers slowly whom it has seen asking to relay, and that is what these do: one after the other they would take
/// half an hour.
struct Attacks {
    /// Below what a node bears of one network by default, so that none is turned away for its number.
    static let sessionsDefault = 20
    static let sessionsMost = 200

    private final class Progress: Sendable {
        let next = Atomic<Int>(0)
        let done = Atomic<Int>(0)
        let results: Mutex<[RelayAttack.Result?]>

        init(_ count: Int) { results = Mutex(Array(repeating: nil, count: count)) }
    }

    let sessions: Int
    let gauge: Gauge

    /// What came of each, in their order.
    func run(_ attempts: [@Sendable () -> RelayAttack.Result]) -> [RelayAttack.Result] {
        let progress = Progress(attempts.count)
        let threads = (0..<min(sessions, attempts.count)).map { _ in
            WorkerThread(name: "selftest") {
                while true {
                    let index = progress.next.add(1, ordering: .relaxed).oldValue
                    guard index < attempts.count else { return }
                    let result = attempts[index]()
                    progress.results.withLock { $0[index] = result }
                    progress.done.add(1, ordering: .relaxed)
                }
            }
        }
        // Each attempt ends: the talker waits for a reply no longer than it was told.
        while case let done = progress.done.load(ordering: .relaxed), done < attempts.count {
            gauge.show("\(done) of \(attempts.count) tricks tried")
            WorkerThread.nap(.milliseconds(50))
        }
        gauge.clear()
        for thread in threads { thread.join() }
        return progress.results.withLock { $0.compactMap { $0 } }
    }
}
