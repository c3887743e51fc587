import MailValues
package import NIOCore

/// An event loop as the floors below see it, and as tasks do.
///
/// A task that talks to one connection all the time costs no wake-up of another thread for each reply when it
/// prefers the connection's own loop.
package final class EventLoopLane: Lane, TaskExecutor {
    package let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package func run(_ job: @escaping @Sendable () -> Void) {
        if loop.inEventLoop { job() } else { loop.execute(job) }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        loop.execute { job.runSynchronously(on: executor) }
    }
}

/// One lane for each loop of a group, so that a store can tell which answers travel together.
package final class EventLoopLanes: Sendable {
    private let lanes: [ObjectIdentifier: EventLoopLane]

    package init(_ group: any EventLoopGroup) {
        var lanes: [ObjectIdentifier: EventLoopLane] = [:]
        for loop in group.makeIterator() { lanes[ObjectIdentifier(loop)] = EventLoopLane(loop) }
        self.lanes = lanes
    }

    package func lane(of loop: any EventLoop) -> EventLoopLane {
        lanes[ObjectIdentifier(loop)] ?? EventLoopLane(loop)
    }

    package var all: [EventLoopLane] { Array(lanes.values) }
}
