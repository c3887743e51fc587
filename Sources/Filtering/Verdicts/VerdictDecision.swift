internal import Convergence
package import MailValues

/// What a node may do to a message that bears a fingerprint, given what it has heard.
///
/// The worst that one other node can bring about is a hold, which loses nothing and which a revocation ends.
package enum VerdictDecision: Int, Sendable, Comparable {
    case none
    case hold
    /// As the settings say for such mail: reject or discard.
    case act

    package static func < (left: VerdictDecision, right: VerdictDecision) -> Bool {
        left.rawValue < right.rawValue
    }

    /// What the operator has ordered about a fingerprint, if anything.
    package enum Ordered: Sendable, Hashable {
        case nothing
        /// Condemned by hand.
        case against
        /// Revoked: no node's own judgement counts until the order is over.
        case revoked
    }

    package static func decide(
        _ view: VerdictFact.View, at node: NodeID, ordered: Ordered
    ) -> VerdictDecision {
        switch ordered {
        case .against: return .act
        case .revoked: return .none
        case .nothing: break
        }
        if view.origins[node] != nil { return .act }  // our own filter said so
        guard !view.origins.isEmpty else { return .none }
        return Merge.isWitnessed(by: view.origins.keys) ? .act : .hold
    }
}
