internal import Convergence
package import MailValues

/// What the operator has ordered about a subject, if anything.
package enum Ordered: Sendable, Hashable, CaseIterable {
    case nothing
    /// Blocked, or condemned.
    case against
    /// Released, or acquitted: until the order is over no node's own judgement counts.
    case `for`
}

/// What a node may do about a block, given what it has heard.
///
/// One other node's word alone never refuses anybody: the node may be misconfigured, or taken over.
package enum BlockDecision: Int, Sendable, Comparable {
    case none
    /// Slow down and look twice: what one other node says.
    case slowDown
    case refuse

    package static func < (left: BlockDecision, right: BlockDecision) -> Bool {
        left.rawValue < right.rawValue
    }

    /// `follows`: whether this node's settings let it follow what others agree on.
    package static func decide(
        _ view: BlockFact.View, at node: NodeID, ordered: Ordered, isProtected: Bool, follows: Bool
    ) -> BlockDecision {
        if isProtected { return .none }  // not even by order: a slip there cuts off one's own house
        switch ordered {
        case .for: return .none
        case .against: return .refuse
        case .nothing: break
        }
        if view.origins.contains(node) { return .refuse }  // our own evidence
        guard follows, !view.origins.isEmpty else { return .none }
        return Merge.isWitnessed(by: view.origins) ? .refuse : .slowDown
    }
}
