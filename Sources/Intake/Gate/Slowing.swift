import MailValues
import SMTPProtocol
import Synchronization

/// Answers that are made to wait.
///
/// A client that is kept waiting costs us a session too, so only so many wait at a time; who comes beyond them
/// is told to come later, which costs nothing.
package final class Slowing: Sendable {
    package struct Limits: Sendable, Equatable {
        /// How long an answer waits: less than any client's patience (RFC 5321 §4.5.3.2.1 asks it to have five
        /// minutes for the greeting), and long for who wants to send to thousands.
        package var delay: Duration = .seconds(5)
        /// Answers that wait at a time.
        package var waitingMost = 256

        package init() {}
    }

    private let waiting = Atomic<Int>(0)
    private let pause: @Sendable (Duration) async -> Void

    /// - Parameter pause: returns once so much time is over.
    package init(pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }) {
        self.pause = pause
    }

    /// Runs `job` on the lane once the delay is over. False: too many wait, and it never will.
    func later(on lane: any Lane, _ limits: Limits, _ job: @escaping @Sendable () -> Void) -> Bool {
        let (_, count) = waiting.add(1, ordering: .relaxed)
        guard count <= limits.waitingMost else {
            waiting.subtract(1, ordering: .relaxed)
            return false
        }
        Task {
            await pause(limits.delay)
            waiting.subtract(1, ordering: .relaxed)
            lane.run(job)
        }
        return true
    }
}
