import MailValues

/// To which members this node has a link, and since when it has had none to the others.
struct LinkWatch: Sendable {
    /// Links end and stand again within this, and members that are gone are known to be.
    static let patience: Duration = .seconds(15)

    private var linked: Set<NodeID> = []
    private var missedSince: [NodeID: Timestamp] = [:]

    func contains(_ node: NodeID) -> Bool { linked.contains(node) }

    /// A member to which a link is tried from now on.
    mutating func expect(_ node: NodeID, now: Timestamp) {
        guard !linked.contains(node), missedSince[node] == nil else { return }
        missedSince[node] = now
    }

    mutating func up(_ node: NodeID) {
        linked.insert(node)
        missedSince[node] = nil
    }

    mutating func down(_ node: NodeID, now: Timestamp) {
        linked.remove(node)
        expect(node, now: now)
    }

    mutating func forget(_ node: NodeID) {
        linked.remove(node)
        missedSince[node] = nil
    }

    /// Since when there has been none to a member that is expected; nil: there is one, or it may yet come.
    func missing(_ node: NodeID, now: Timestamp) -> Timestamp? {
        guard let since = missedSince[node], now - since >= Self.patience else { return nil }
        return since
    }
}
