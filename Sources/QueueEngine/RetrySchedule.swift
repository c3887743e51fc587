package import MailValues

/// When a message that could not go is tried again, and for how long.
package struct RetrySchedule: Sendable, Equatable {
    /// The wait after the first failure; it doubles with each further one. RFC 5321 §4.5.4.1 asks for 30
    /// minutes in general and allows less at first; five serve greylisting, which most often wants a few
    /// minutes.
    package var retryDelayFirst: Duration = .seconds(300)
    /// The longest wait between two attempts.
    package var retryDelayLongest: Duration = .seconds(3600)
    /// Each wait is longer or shorter by up to this share, so that a recovered destination is not hit by all
    /// at once.
    package var jitter = 0.2
    /// How long a message is tried; four to five days (RFC 5321 §4.5.4.1).
    package var lifetime: Duration = .seconds(5 * 86_400)
    /// How long a report to somebody is tried: nobody misses it for long.
    package var lifetimeOfReports: Duration = .seconds(2 * 86_400)
    /// When the sender hears that his message is late; nil: never.
    package var delayNotice: Duration? = .seconds(4 * 3600)

    package init() {}

    /// The wait before the next attempt: doubles from `retryDelayFirst`, capped at `retryDelayLongest`,
    /// spread by `jitter`.
    package func wait(afterFailures count: Int, using random: inout some RandomNumberGenerator) -> Duration {
        precondition(count >= 1, "asked for a retry of something that has not failed")
        let wait = min(retryDelayFirst * (1 << min(count - 1, 16)), retryDelayLongest)
        guard jitter > 0 else { return wait }
        return wait * Double.random(in: (1 - jitter)...(1 + jitter), using: &random)
    }

    /// When a message is given up.
    package func deadline(of envelope: Envelope) -> Timestamp {
        envelope.deadline ?? envelope.acceptedAt
            + (envelope.reversePath == .null ? lifetimeOfReports : lifetime)
    }

    /// When the sender of a message is to hear of delay; nil: never, or he has.
    package func noticeAt(of envelope: Envelope) -> Timestamp? {
        guard let delayNotice, envelope.delayNotifiedAt == nil, envelope.reversePath != .null else {
            return nil
        }
        return envelope.acceptedAt + delayNotice
    }
}
