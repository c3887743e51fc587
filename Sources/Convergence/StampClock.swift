package import MailValues

/// Gives our statements their stamps, and says how far those of others are believed.
///
/// Ours are never below one that we have seen, so that an answer is stamped later than what it answers. But a
/// stamp that lies more than `aheadLongest` before our clock is cut to it and leaves ours alone: else one
/// machine whose clock is a day ahead would drag all others there, and win every "newest" until tomorrow.
package struct StampClock: Sendable {
    package static let aheadLongest: Duration = .seconds(5)

    private var latest = Timestamp(milliseconds: .min)

    package init() {}

    /// The stamp of what we say now: our clock, or one more than the latest stamp.
    package mutating func next(now: Timestamp) -> Timestamp {
        latest = max(now, Timestamp(milliseconds: latest.milliseconds &+ 1))
        return latest
    }

    /// The stamp of another as we use it.
    package mutating func admit(_ stamp: Timestamp, now: Timestamp) -> Timestamp {
        guard stamp <= now + Self.aheadLongest else { return now }
        latest = max(latest, stamp)
        return stamp
    }
}
