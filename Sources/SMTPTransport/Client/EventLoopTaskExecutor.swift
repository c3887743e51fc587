package import NIOCore

/// Runs tasks on an event loop: `Task(executorPreference: EventLoopTaskExecutor(connection.eventLoop)) { …
/// }`.
///
/// A task that talks to one connection all the time then costs no wake-up of another thread for each reply.
package final class EventLoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        loop.execute { job.runSynchronously(on: executor) }
    }
}
