import MailValues
import Membership

/// How old frames of one sender are, measured against the quickest of them.
///
/// The quickest of the current and the last window counts, so that clocks that drift apart (0.1 ms a second
/// is much) do not age what is fresh. Windows turn only when frames come: what was queued behind a cut of an
/// hour is still compared with what came before it.
struct AgeGauge {
    static let window: Int64 = 60_000

    private let start: UInt32
    private var current: Int64
    private var last: Int64
    private var turned: Int64

    /// `header` and `now` of the first frame, which counts as fresh: there is nothing to compare it with.
    init(_ header: FrameHeader, now: Uptime) {
        start = header.start
        current = Self.offset(header, now)
        last = current
        turned = now.milliseconds
    }

    func isOf(_ header: FrameHeader) -> Bool { start == header.start }

    mutating func age(_ header: FrameHeader, now: Uptime) -> Duration {
        let offset = Self.offset(header, now)
        if now.milliseconds &- turned > Self.window {
            last = current
            current = offset
            turned = now.milliseconds
        }
        current = min(current, offset)
        return .milliseconds(max(0, offset &- min(current, last)))
    }

    /// Two clocks and the way between them; what it is does not matter, only by how much it grows.
    private static func offset(_ header: FrameHeader, _ now: Uptime) -> Int64 {
        now.milliseconds &- Int64(truncatingIfNeeded: header.stamp)
    }
}
