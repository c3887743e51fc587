internal import Convergence

/// What is thought of a subject, and how sure that is.
package struct Standing: Sendable, Equatable {
    /// From -1 (all bad) to 1 (all good); 0 for a stranger.
    package var score: Float
    /// From 0 (never heard of) towards 1 with all that was counted.
    package var sureness: Float
    /// Nodes, this one included, that would slow it down by what they counted themselves.
    package var witnesses: Int
    /// Whether what this node counted itself is enough to refuse.
    package var isOwnEvidence: Bool

    package static let stranger = Standing(score: 0, sureness: 0)

    @inlinable
    package init(score: Float, sureness: Float, witnesses: Int = 0, isOwnEvidence: Bool = false) {
        self.score = score
        self.sureness = sureness
        self.witnesses = witnesses
        self.isOwnEvidence = isOwnEvidence
    }

    /// What counters say by themselves: the first few occurrences weigh little, or one message would make a
    /// reputation.
    init(_ counters: Counters) {
        let bad = counters.badness
        let good = counters[.good]
        let weight = bad + good
        self.init(
            score: (good - bad) / (weight + Standing.doubt), sureness: weight / (weight + Standing.doubt))
    }

    /// Occurrences that are needed to be half sure.
    static let doubt: Float = 4

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

    /// Whether the figures alone ask for it, whoever they come from.
    var slows: Bool { score <= Self.slowScore && sureness >= Self.slowSureness }
    var refuses: Bool { score <= Self.refuseScore && sureness >= Self.refuseSureness }

    /// What may be done at most. Nobody is refused by one other node's word: it takes two witnesses, or what this
    /// node has seen itself.
    package var consequence: Consequence {
        guard slows else { return .none }
        return refuses && (isOwnEvidence || witnesses >= Merge.observersLeast) ? .refuse : .slowDown
    }
}
