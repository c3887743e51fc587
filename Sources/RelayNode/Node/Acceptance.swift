import MailValues
import Synchronization

/// How many messages were accepted in the last minute, from a count that only grows.
final class Acceptance: Sendable {
    /// One look each few seconds is kept; a look more often changes nothing.
    private static let step: Duration = .seconds(5)
    private static let span: Duration = .seconds(60)

    private let looks = Mutex<[(at: ContinuousClock.Instant, count: Int)]>([])

    func rate(of count: Int) -> Int {
        let now = ContinuousClock.now
        return looks.withLock { looks in
            looks.removeAll { now - $0.at > Self.span + Self.step }
            if looks.last.map({ now - $0.at >= Self.step }) ?? true { looks.append((now, count)) }
            guard let first = looks.first else { return 0 }
            return count - first.count
        }
    }
}
