/// A moment in milliseconds since this node's start: a clock that never jumps and means nothing elsewhere.
///
/// Spans are measured with it; a `Timestamp` only says when something was for people and other nodes.
package struct Uptime: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package static let start = Uptime(milliseconds: 0)

    @inlinable
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    @inlinable
    package static func < (left: Uptime, right: Uptime) -> Bool { left.milliseconds < right.milliseconds }

    @inlinable
    package static func + (moment: Uptime, wait: Duration) -> Uptime {
        Uptime(milliseconds: moment.milliseconds + wait.wholeMilliseconds)
    }

    @inlinable
    package static func - (moment: Uptime, wait: Duration) -> Uptime {
        Uptime(milliseconds: moment.milliseconds - wait.wholeMilliseconds)
    }

    @inlinable
    package static func - (later: Uptime, earlier: Uptime) -> Duration {
        .milliseconds(later.milliseconds - earlier.milliseconds)
    }
}
