package import MailValues
import Synchronization

/// Octets of messages that are being received or written, over all sessions: beyond the limit nobody reads
/// on.
///
/// Without it, a thousand slow senders of large messages decide how much memory the node has.
package final class OctetBudget: Sendable {
    package let limit: Int
    private let used = Atomic<Int>(0)
    private let waiting = Mutex<[(lane: any Lane, resume: @Sendable () -> Void)]>([])

    package init(limit: Int) { self.limit = limit }

    package var inUse: Int { used.load(ordering: .sequentiallyConsistent) }

    /// Counts octets in. False: the limit is passed, and the caller should stop reading and `waitForRoom`.
    package func add(_ octets: Int) -> Bool {
        used.wrappingAdd(octets, ordering: .sequentiallyConsistent).newValue <= limit
    }

    package func remove(_ octets: Int) {
        guard octets > 0 else { return }
        let before = used.wrappingSubtract(octets, ordering: .sequentiallyConsistent).oldValue
        // Only the step over the limit wakes anybody: the hot path must not take the lock.
        if before > limit && before - octets <= limit { releaseAll() }
    }

    /// Runs `resume` on `lane` once there is room again.
    package func waitForRoom(on lane: any Lane, _ resume: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append((lane, resume)) }
        // The step over the limit may have come between the caller's look and this line.
        if inUse <= limit { releaseAll() }
    }

    private func releaseAll() {
        let resumed = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for waiter in resumed { waiter.lane.run(waiter.resume) }
    }
}
