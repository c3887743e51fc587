import MailValues

/// What is still to be told, a bounded number of times each, the least told first.
struct Rumours: Sendable {
    private struct Entry: Sendable {
        var claim: Claim
        var told: Int
    }

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// A newer claim about a member replaces the older one; one more accuser stands beside the others.
    mutating func add(_ claim: Claim) {
        entries.removeAll { entry in
            guard entry.claim.node == claim.node else { return false }
            return entry.claim.accuser == claim.accuser || claim.outweighs(entry.claim)
        }
        entries.append(Entry(claim: claim, told: 0))
    }

    mutating func forget(_ node: NodeID) { entries.removeAll { $0.claim.node == node } }

    /// Up to `limit` claims for one frame; each is told `times` times in all and then dropped.
    mutating func take(_ limit: Int, times: Int) -> [Claim] {
        guard !entries.isEmpty else { return [] }
        if entries.count > limit { entries.sort { $0.told < $1.told } }
        var taken: [Claim] = []
        for index in entries.indices.prefix(limit) {
            entries[index].told += 1
            taken.append(entries[index].claim)
        }
        entries.removeAll { $0.told >= times }
        return taken
    }
}
