/// How long the next chunks of large messages wait for what is small.
///
/// Large messages come as fast as we take them, and would have every processor and the disk to themselves. While small
/// ones come too, chunks get half of the writer's time at most: they wait as long as the last ones took, or until a commit
/// comes.
struct ChunkPace: Sendable, Equatable {
    /// A small message counts for so long: ten of them a second keep the pace.
    static let remembered: Duration = .milliseconds(100)
    /// No wait is longer, however slow the disk.
    static let longest: Duration = .milliseconds(5)

    private var lastSmall: ContinuousClock.Instant?
    private var lastTook: Duration = .zero

    mutating func smallCame(at now: ContinuousClock.Instant) { lastSmall = now }
    mutating func chunksTook(_ duration: Duration) { lastTook = duration }

    func wait(at now: ContinuousClock.Instant) -> Duration {
        guard let lastSmall, now - lastSmall < Self.remembered else { return .zero }
        return min(lastTook, Self.longest)
    }
}
