package import Convergence

/// What nodes say to each other about facts.
package enum GossipMessage: Sendable, Hashable {
    /// New urgent facts of the sender.
    case push([TravellingFact])
    /// The sum of the sender's marks: who has another one answers with its digest.
    case summary(UInt64)
    /// How far the sender knows everybody. `asks`: the sender wants to be asked back if it knows more.
    case digest(FactDigest, asks: Bool)
    /// What the receiver lacked by its digest; `isCut`: there is more where this came from.
    case deltas([FactDelta], isCut: Bool)
}

/// How facts spread.
package struct GossipSettings: Sendable, Equatable {
    /// Between two rounds, each with one random peer.
    package var roundInterval: Duration = .milliseconds(200)
    /// At least so long between two signatures; the first fact after a silence is signed at once.
    package var sealInterval: Duration = .milliseconds(10)
    /// About how many octets of facts one frame carries; a frame may have 1 MiB.
    package var frameOctets = 256 * 1024

    package init() {}
}
