package import MailValues

/// What failure detectors say to each other.
package enum ProbeMessage: Hashable, Sendable {
    /// Are you there? `view` digests what the sender believes of all.
    case probe(number: UInt32, view: UInt64, claims: [Claim])
    case ack(number: UInt32, view: UInt64, claims: [Claim])
    /// I have no answer from `target`: ask it for me.
    case ask(number: UInt32, target: NodeID, claims: [Claim])
    /// `target` has answered me.
    case relayedAck(number: UInt32, target: NodeID, claims: [Claim])
    /// It has not, but I am here: the fault is not yours.
    case nack(number: UInt32, target: NodeID, claims: [Claim])
    case rumours([Claim])
    /// Everything believed; the answer is `rumours` of what is newer there.
    case sync([Claim])
    /// I have just started, or was told of a later start of mine: what did you last see of me?
    case askLastSeen
    case lastSeen(LastSeen)
    /// Two processes with your key are alive. Whoever drew this nonce started later, and goes.
    case cloned(nonce: UInt64)

    /// Claims that ride along with one frame.
    package static let claimLimit = 6
    /// Members of the largest cluster that the machines are made for.
    package static let syncLimit = 4_096
}

/// What a member last saw of the one that asks.
package struct LastSeen: Hashable, Sendable {
    /// 0: nothing yet.
    package var incarnation: UInt64
    /// 0: it was only told by others.
    package var nonce: UInt64
    package var refutation: UInt32
    package var state: MemberState
    /// Since the last frame with that nonce.
    package var heardAgo: Duration?

    package init(
        incarnation: UInt64, nonce: UInt64, refutation: UInt32, state: MemberState, heardAgo: Duration?
    ) {
        self.incarnation = incarnation
        self.nonce = nonce
        self.refutation = refutation
        self.state = state
        self.heardAgo = heardAgo
    }
}
