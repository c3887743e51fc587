import Dispatch
import Intake
import MailValues
import NIOCore
import QueueEngine
import QueueStorage
import SMTPTransport
import Synchronization

extension RelayNode {
    /// How long the parts may take to answer. A disk may stall for many seconds and come back, and a restart would
    /// not hurry it; half a minute of nothing is a knot that only a restart undoes.
    private static let patience: Duration = .seconds(30)

    /// Whether every event loop and the store's writer still answer.
    ///
    /// A store that answers "I cannot write" is alive: a restart would not mend its disk.
    package func isLive() async -> Bool {
        let (answers, answer) = AsyncStream.makeStream(of: Bool.self)
        let lanes = lanes.all
        for lane in lanes { lane.loop.execute { answer.yield(true) } }
        store.commit([], lane: DispatchLane.shared) { _ in answer.yield(true) }
        let limit = Self.patience.components.seconds
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(limit))) { answer.yield(false) }
        var missing = lanes.count + 1
        for await isAnswer in answers {
            guard isAnswer else { return false }
            missing -= 1
            if missing == 0 { return true }
        }
        return false  // we were cancelled: nobody asks any more
    }

    package func unreadiness() async -> String? {
        let (isDraining, isOpen) = inForce.withLock { ($0.isDraining, !$0.openListeners.isEmpty) }
        if isDraining { return "draining" }
        if !isOpen { return "no listener is open: starting or stopping" }
        return intakeObstacle
    }

    /// Why no mail is taken although the doors stand open; nil: it is.
    var intakeObstacle: String? { intake.bar.why ?? store.intakeRefusal?.words }
}

/// Where answers arrive that must not depend on an event loop.
final class DispatchLane: Lane {
    static let shared = DispatchLane()
    func run(_ job: @escaping @Sendable () -> Void) { DispatchQueue.global().async(execute: job) }
}
