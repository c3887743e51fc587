import Filtering
package import Reputation

/// How far one listener follows what is known of clients and accounts.
///
/// The operator's order is obeyed whatever stands here, but where nothing is asked at all.
package enum GateRule: String, CaseIterable, Sendable {
    /// Nobody asks, and nothing is counted.
    case off
    /// Counted and noted, and nothing follows.
    case note
    /// Who deserves it is answered slowly, and refused only by order.
    case slow
    /// Who deserves it is refused.
    case refuse

    package func consequence(of opinion: GateOpinion) -> Standing.Consequence {
        if self == .off { return .none }
        if opinion.cause == .order { return opinion.consequence }
        switch self {
        case .off, .note: return .none
        case .slow: return min(opinion.consequence, .slowDown)
        case .refuse: return opinion.consequence
        }
    }
}

/// How far one listener follows what is said of messages.
package enum VerdictRule: String, CaseIterable, Sendable {
    /// Nobody looks for fingerprints.
    case off
    /// What other nodes say is noted; what the operator condemned is held.
    case note
    /// Held, whoever says so.
    case hold
    /// What two nodes, this node itself or the operator condemned is refused; one other node's word holds.
    case reject

    package enum Deed: Sendable, Equatable { case take, note, hold, reject }

    package func deed(about opinion: VerdictOpinion) -> Deed {
        guard opinion.decision != .none else { return .take }
        switch self {
        case .off: return .take
        case .note: return opinion.isOrder ? .hold : .note
        case .hold: return .hold
        case .reject: return opinion.decision == .act ? .reject : .hold
        }
    }
}
