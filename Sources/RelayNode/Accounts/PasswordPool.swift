import Dispatch
import Intake
import Synchronization

/// A few threads with a bounded number of jobs before them.
final class PasswordPool: PasswordWorkers {
    private let queues: [DispatchQueue]
    private let waiting = Atomic<Int>(0)
    private let next = Atomic<UInt>(0)
    private let waitingLimit: Int

    /// - Parameters:
    ///   - threads: of which each checks some two hundred passwords a second.
    ///   - waitingLimit: what may wait or run at once; beyond it clients hear 454.
    init(threads: Int = 1, waitingLimit: Int = 64) {
        precondition(threads > 0 && waitingLimit > 0, "a pool without room would refuse everybody")
        queues = (0..<threads).map { DispatchQueue(label: "chappe.password.\($0)", qos: .utility) }
        self.waitingLimit = waitingLimit
    }

    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        guard waiting.add(1, ordering: .relaxed).newValue <= waitingLimit else {
            waiting.subtract(1, ordering: .relaxed)
            return false
        }
        let index = Int(next.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(queues.count))
        queues[index].async {
            job()
            self.waiting.subtract(1, ordering: .relaxed)
        }
        return true
    }
}
