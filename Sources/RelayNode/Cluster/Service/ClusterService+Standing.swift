package import AdminProtocol

/// Whether this node's word counts for anything among the others, as far as its mail goes.
extension ClusterService {
    /// Why this node can give its mail to nobody, whoever is there; nil: it may try.
    ///
    /// † What a node in quarantine holds may have been delivered by another life of it: another node would deliver it once more,
    /// and nobody would count that.
    package func leaveObstacle() async -> AdminProblem? {
        guard let member else { return isEvicted ? Self.evicted : nil }
        switch member.condition {
        case .speaking, .left: return nil
        case .starting: return await member.driver.isDeaf ? Self.deaf : nil
        case .storeIsOld: return Self.old
        case .ended(.evicted): return Self.evicted
        case .ended(let end):
            return AdminProblem(
                .refused, "this node is not in its cluster any more: \(end)", advice: "restart it")
        }
    }

    private static let evicted = AdminProblem(
        .refused, "this node was evicted from its cluster, and nobody takes mail from it",
        advice: "`chappe join` it anew, then `chappe leave`; or stop it")
    private static let deaf = AdminProblem(
        .refused, "\(deafness): it can give mail to nobody", advice: "`chappe status` says what to look at")
    private static let old = AdminProblem(
        .refused,
        "the store is older than what the members saw of this node: what it holds may have been delivered since, and would go "
            + "out again from another node",
        advice:
            "restart it: everything is held then; look at it, delete what was delivered, then `chappe leave`")
}
