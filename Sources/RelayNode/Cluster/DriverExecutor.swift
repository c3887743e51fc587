import Dispatch

/// A thread for the driver alone.
///
/// On the language's own pool it would wait behind whatever else computes there, and a failure detector that is late
/// takes living nodes for dead.
final class DriverExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "cluster", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
