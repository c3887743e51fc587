import Convergence
import MailValues

/// Sees that the wall's clock was put back: what it had ended may not be over.
///
/// Time since the start never jumps, so what the wall gains on it is how far the clock was put ahead.
struct ClockWatch: Sendable {
    /// By less than this nothing ends too early that anybody would miss.
    static let stepLeast: Duration = .seconds(1)

    /// The most that the wall was ahead of time since the start.
    private var leadMost: Int64?

    /// To be asked again and again; true once for each time that the clock was put back.
    mutating func wentBack(_ now: ClockReading) -> Bool {
        let lead = now.wall.milliseconds - now.uptime.milliseconds
        guard let most = leadMost, lead < most else {
            leadMost = lead
            return false
        }
        guard most - lead >= Self.stepLeast.wholeMilliseconds else { return false }
        leadMost = lead
        return true
    }
}
