package import MailValues

/// What both clocks show at one moment: the one that measures spans, and the one that people read.
package struct ClockReading: Sendable, Equatable {
    package var uptime: Uptime
    package var wall: Timestamp

    package init(uptime: Uptime, wall: Timestamp) {
        self.uptime = uptime
        self.wall = wall
    }
}
