package import MailValues

/// How the cluster sees one of its members. The raw value travels; a later one outweighs an earlier one within
/// the same incarnation and refutation.
package enum MemberState: UInt8, Sendable, CaseIterable, Comparable {
    /// Admitted, and not heard of since.
    case joining = 0
    case alive = 1
    /// Takes no new work and goes on with the old.
    case draining = 2
    /// Away on purpose, and back within a time that it gave.
    case parked = 3
    /// Somebody had no answer from it.
    case suspect = 4
    case dead = 5
    /// Gave everything away and went.
    case left = 6

    package static func < (first: MemberState, second: MemberState) -> Bool {
        first.rawValue < second.rawValue
    }

    /// Whether others judged so; all other states a member says of itself.
    package var isJudgement: Bool { self == .suspect || self == .dead }

    /// Whether the member is there to be asked.
    package var isPresent: Bool {
        switch self {
        case .alive, .draining, .suspect: true
        case .joining, .parked, .dead, .left: false
        }
    }
}

/// What is said of one member: who speaks of a later start is right, then who speaks of a later refutation,
/// then who says the worse.
package struct Claim: Hashable, Sendable {
    package var node: NodeID
    /// Of the member's start; facts are versioned by it, so a refutation leaves it alone.
    package var incarnation: UInt64
    /// How often it has contradicted since that start.
    package var refutation: UInt32
    package var state: MemberState
    /// Whose probe stayed without an answer, where the state is `suspect`.
    package var accuser: NodeID?
    /// How much longer a parked member may be away.
    package var remaining: Duration?

    package init(
        node: NodeID, incarnation: UInt64, refutation: UInt32 = 0, state: MemberState,
        accuser: NodeID? = nil, remaining: Duration? = nil
    ) {
        self.node = node
        self.incarnation = incarnation
        self.refutation = refutation
        self.state = state
        self.accuser = accuser
        self.remaining = remaining
    }

    /// Whether this claim replaces `other`, about the same member.
    package func outweighs(_ other: Claim) -> Bool {
        if incarnation != other.incarnation { return incarnation > other.incarnation }
        if refutation != other.refutation { return refutation > other.refutation }
        return state > other.state
    }

    /// Starts are counted one by one; what is above was made up, and one more must always be possible.
    package static let incarnationHighest = UInt64(1) << 62
    package static let refutationHighest = UInt32(1) << 30
}

/// Who speaks: each frame carries it, so that each frame is also its sender's newest word about itself.
package struct Sender: Hashable, Sendable {
    package var node: NodeID
    package var incarnation: UInt64
    /// Drawn at each start; two of them alive are a cloned machine.
    package var nonce: UInt64
    package var refutation: UInt32
    /// One that a member says of itself.
    package var state: MemberState

    package init(
        node: NodeID, incarnation: UInt64, nonce: UInt64, refutation: UInt32 = 0, state: MemberState = .alive
    ) {
        self.node = node
        self.incarnation = incarnation
        self.nonce = nonce
        self.refutation = refutation
        self.state = state
    }

    var claim: Claim {
        Claim(node: node, incarnation: incarnation, refutation: refutation, state: state)
    }
}
