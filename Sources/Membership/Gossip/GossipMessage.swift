package import Convergence

/// What nodes say to each other about facts.
package enum GossipMessage: Sendable, Hashable {
    /// New urgent facts of the sender.
    case push([TravellingFact])
    /// The sum of the sender's marks: who has another one answers with its digest. `words`, here and below: what the
    /// sender holds of words that prove themselves, with each round.
    case summary(UInt64, words: WordSums? = nil)
    /// How far the sender knows everybody. `asks`: the sender wants to be asked back if it knows more.
    case digest(FactDigest, asks: Bool, words: WordSums? = nil)
    /// What the receiver lacked by its digest; `isCut`: there is more where this came from.
    case deltas([FactDelta], isCut: Bool)

    var words: WordSums? {
        switch self {
        case .summary(_, let words), .digest(_, _, let words): words
        case .push, .deltas: nil
        }
    }
}

/// How facts spread.
package struct GossipSettings: Sendable, Equatable {
    /// Between two rounds, each with one peer, all of them in turn.
    package var roundInterval: Duration = .milliseconds(200)
    /// The same, where nothing was news for a while: all that a round can find then is what was lost.
    package var quietInterval: Duration = .seconds(1)
    /// How long after news, or a sign that somebody lacks some, rounds follow each other closely.
    package var stirredFor: Duration = .seconds(1)
    /// At least so long between two signatures; the first fact after a silence is signed at once.
    package var sealInterval: Duration = .milliseconds(10)
    /// About how many octets of facts one frame carries; a frame may have 1 MiB.
    package var frameOctets = 256 * 1024

    package init() {}
}
