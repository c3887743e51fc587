/// What a run measured. Times are in milliseconds.
package struct Figures: Sendable {
    /// From the kill until one other node knew, each node.
    package var killedKnown: [Int64] = []
    /// The same for those that fell silent: frozen, or without power.
    package var silentKnown: [Int64] = []
    /// From the heal of a cut until all agreed.
    package var agreed: [Int64] = []
    package var factsSaid = 0
    /// From the saying of an urgent fact until one other node knew, each node, while nothing was wrong.
    package var factsKnown: [Int64] = []
    /// From the heal of a cut until everybody knew all that was said before.
    package var factsAgreed: [Int64] = []
    /// From the heal of a cut until everybody had all orders.
    package var ordersAgreed: [Int64] = []
    package var frames = 0
    package var framesLost = 0
    package var stalls = 0
    package var clonesStopped = 0
    package var clonesSeen = 0
    package var refusals: [String: Int] = [:]
    /// Octets that each node sent for membership.
    package var octets: [Int] = []
    package var seconds = 0.0
    package var runs = 0
    var healedAt: Int64 = -1

    package init() {}

    package mutating func add(_ other: Figures) {
        killedKnown += other.killedKnown
        silentKnown += other.silentKnown
        agreed += other.agreed
        factsSaid += other.factsSaid
        factsKnown += other.factsKnown
        factsAgreed += other.factsAgreed
        ordersAgreed += other.ordersAgreed
        frames += other.frames
        framesLost += other.framesLost
        stalls += other.stalls
        clonesStopped += other.clonesStopped
        clonesSeen += other.clonesSeen
        refusals.merge(other.refusals, uniquingKeysWith: +)
        octets += other.octets
        seconds += other.seconds
        runs += other.runs
    }

    /// Octets a second and node: the mean, and the node that sent the most.
    package var octetsPerSecond: (mean: Double, most: Double) {
        guard seconds > 0, !octets.isEmpty else { return (0, 0) }
        let span = seconds / Double(max(runs, 1))
        return (Double(octets.reduce(0, +)) / Double(octets.count) / span, Double(octets.max() ?? 0) / span)
    }

    /// The value below which so many of a hundred lie.
    package static func percentile(_ share: Double, of values: [Int64]) -> Int64? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
    }
}
