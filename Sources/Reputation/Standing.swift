/// What is thought of a subject, and how sure that is.
package struct Standing: Sendable, Equatable {
    /// From -1 (all bad) to 1 (all good); 0 for a stranger.
    package var score: Float
    /// From 0 (never heard of) towards 1 with all that was counted.
    package var sureness: Float
    /// Whether this node has itself counted enough to act on.
    package var isSeenHere: Bool
    /// How many other nodes have.
    package var witnesses: Int

    package static let stranger = Standing(score: 0, sureness: 0, isSeenHere: false, witnesses: 0)

    @inlinable
    package init(score: Float, sureness: Float, isSeenHere: Bool, witnesses: Int) {
        self.score = score
        self.sureness = sureness
        self.isSeenHere = isSeenHere
        self.witnesses = witnesses
    }

    /// What counters say by themselves: the first few occurrences weigh little, or one message would make a
    /// reputation.
    @inlinable
    init(_ counters: Counters, isSeenHere: Bool, witnesses: Int) {
        let bad = counters.badness
        let good = counters[.good]
        let weight = bad + good
        self.init(
            score: (good - bad) / (weight + Standing.doubt), sureness: weight / (weight + Standing.doubt),
            isSeenHere: isSeenHere, witnesses: witnesses)
    }

    /// Occurrences that are needed to be half sure.
    @usableFromInline static let doubt: Float = 4

    /// What the gate may do about it.
    package enum Consequence: Int, Sendable, Comparable {
        case none
        /// Answer slowly, ask for another try.
        case slowDown
        case refuse

        package static func < (left: Consequence, right: Consequence) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    /// At or below it, and at least `slowSureness` sure: slow down.
    package static let slowScore: Float = -0.4
    package static let slowSureness: Float = 0.5
    /// At or below it, and at least `refuseSureness` sure: refuse.
    package static let refuseScore: Float = -0.8
    package static let refuseSureness: Float = 0.8

    /// What may be done at most. A node that has seen nothing itself refuses nobody on one other's word.
    package var consequence: Consequence {
        guard score <= Self.slowScore, sureness >= Self.slowSureness else { return .none }
        guard score <= Self.refuseScore, sureness >= Self.refuseSureness else { return .slowDown }
        return isSeenHere || witnesses >= 2 ? .refuse : .slowDown
    }
}
