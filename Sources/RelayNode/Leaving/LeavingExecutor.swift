import Dispatch

/// A thread for the shell of leaving alone: it reads messages from the disk, one after another, and nobody else is to wait
/// for that.
final class LeavingExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "leaving")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
