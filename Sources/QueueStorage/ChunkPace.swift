/// How fast chunks of large messages are written while small messages come.
///
/// Large messages come as fast as we take them, and would have every processor and the disk to themselves, those of their
/// senders included. A session reads no further while its chunks wait, so the writer's pace is the senders' pace too.
/// Beside small messages it is `rate` octets a second, or half of the writer's time where the disk is slower, and never
/// less than a batch in each `waitLongest`. While no small message comes there is no pace.
struct ChunkPace: Sendable, Equatable {
    /// A small message counts for so long: one a second keeps the pace.
    static let remembered: Duration = .seconds(1)
    /// However low the rate and however slow the disk, large messages go on.
    static let waitLongest: Duration = .milliseconds(100)

    /// Octets a second.
    let rate: Int
    private var lastSmall: ContinuousClock.Instant?
    private var due: ContinuousClock.Instant?

    init(rate: Int) {
        precondition(rate > 0, "a pace of nothing would never end")
        self.rate = rate
    }

    mutating func smallCame(at now: ContinuousClock.Instant) { lastSmall = now }

    /// Chunks of `octets` were written between these two instants.
    mutating func chunksWritten(
        _ octets: Int, from begun: ContinuousClock.Instant, to end: ContinuousClock.Instant
    ) {
        let share = Duration.seconds(1) * (Double(octets) / Double(rate))
        due = min(max(begun + share, end + (end - begun)), end + Self.waitLongest)
    }

    /// How long from `now` until the next chunks may be written.
    func wait(at now: ContinuousClock.Instant) -> Duration {
        guard let due, let lastSmall, now - lastSmall < Self.remembered else { return .zero }
        return max(due - now, .zero)
    }
}
