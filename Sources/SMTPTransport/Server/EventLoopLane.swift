import MailValues
package import NIOCore

/// An event loop as the floors below see it.
package final class EventLoopLane: Lane {
    package let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package func run(_ job: @escaping @Sendable () -> Void) {
        if loop.inEventLoop { job() } else { loop.execute(job) }
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
