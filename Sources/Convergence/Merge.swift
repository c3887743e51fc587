package import MailValues

/// What several origins' words come to. None of these looks at the order in which the words come.
package enum Merge {
    /// The sum of what origins counted, in which none has too much to say.
    ///
    /// Once three report, what any one of them says makes up no more than a third of the result: with it the
    /// result is at most half as much again as the others came to without it. The rule holds for the largest,
    /// then for the largest of the others, and so on, so that two liars cannot lend each other weight that
    /// nobody else has seen.
    package static func cappedSum(_ counts: some Collection<Float>) -> Float {
        var rest: Float = 0
        var least = Float.infinity
        var allowance = Self.allowance(steps: max(0, counts.count - 2))
        // From the smallest: a sum from which a liar's 10^30 is subtracted again has forgotten the rest.
        for (index, count) in counts.sorted().enumerated() {
            rest += count
            guard index >= 1 || counts.count == 1 else { continue }
            least = min(least, rest * allowance)
            allowance /= 1.5
        }
        return counts.isEmpty ? 0 : least
    }

    private static func allowance(steps: Int) -> Float {
        (0..<steps).reduce(Float(1)) { power, _ in power * 1.5 }
    }

    package static func earliest<Moment: Comparable>(_ moments: some Sequence<Moment>) -> Moment? {
        moments.min()
    }

    /// What more than half of the voices say; nil if nothing has so many.
    package static func majority<Answer: Hashable>(_ answers: some Collection<Answer>) -> Answer? {
        var votes: [Answer: Int] = [:]
        for answer in answers { votes[answer, default: 0] += 1 }
        return votes.first { 2 * $0.value > answers.count }?.key
    }

    /// The one with the highest number; of two with the same the one whose octets sort last, so that nodes agree
    /// even about what should not be.
    package static func highest<Value>(
        _ values: some Sequence<Value>, number: (Value) -> UInt64, octets: (Value) -> [UInt8]
    ) -> Value? {
        values.max { left, right in
            let (first, second) = (number(left), number(right))
            return first == second
                ? octets(left).lexicographicallyPrecedes(octets(right)) : first < second
        }
    }

    /// Origins that must say the same before others act on it.
    package static let observersLeast = 2

    /// Whether enough different origins say it.
    package static func isWitnessed(by origins: some Sequence<NodeID>) -> Bool {
        var seen: Set<NodeID> = []
        for origin in origins where seen.insert(origin).inserted && seen.count >= observersLeast {
            return true
        }
        return false
    }
}
