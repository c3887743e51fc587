import Dispatch

/// Runs what waits for the disk, away from the few threads that everything else shares.
///
/// A walk through a million messages takes seconds; on the language's own pool, two of them would stop deliveries on
/// a machine with two processors.
final class DiskExecutor: TaskExecutor {
    static let shared = DiskExecutor()
    private let queue = DispatchQueue(label: "disk", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
