import MailValues

/// How often strangers may knock and speak: the door costs us little, whoever stands before it.
struct DoorGuard {
    /// Marks that come back with time, up to a number.
    struct Bucket {
        private let perSecond: Int
        private let burst: Int
        /// In thousandths of a mark.
        private var level: Int64
        private var filled: Uptime

        init(perSecond: Int, burst: Int, now: Uptime) {
            self.perSecond = perSecond
            self.burst = burst
            level = Int64(burst) * 1000
            filled = now
        }

        mutating func take(now: Uptime) -> Bool {
            let passed = max(0, now.milliseconds - filled.milliseconds)
            filled = max(filled, now)
            // An hour fills every bucket; more would only overflow.
            level = min(Int64(burst) * 1000, level + min(passed, 3_600_000) * Int64(perSecond))
            guard level >= 1000 else { return false }
            level -= 1000
            return true
        }
    }

    private var handshakes: Bucket
    private var requests: Bucket

    init(_ limits: DoorLimits, now: Uptime) {
        handshakes = Bucket(perSecond: limits.handshakesPerSecond, burst: limits.handshakeBurst, now: now)
        requests = Bucket(perSecond: limits.requestsPerSecond, burst: limits.requestBurst, now: now)
    }

    mutating func mayEnter(now: Uptime) -> Bool { handshakes.take(now: now) }
    mutating func maySpeak(now: Uptime) -> Bool { requests.take(now: now) }
}
