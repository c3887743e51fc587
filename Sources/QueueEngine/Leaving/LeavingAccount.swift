package import MailValues

/// Where the messages of a leaving node are, for who looks at it.
package struct LeavingAccount: Sendable, Equatable {
    package struct Share: Sendable, Equatable {
        /// Messages that bear the heir's mark, the taken ones among them.
        package var marked = 0
        /// Messages that it has on its disk.
        package var taken = 0
        package init() {}
    }

    /// Messages that bear no mark yet, as far as they were read.
    package var unmarked = 0
    /// Of those, the ones whose first mark is on its way to the disk.
    package var beingMarked = 0
    package var heirs: [NodeID: Share] = [:]
    package init() {}

    package var taken: Int { heirs.values.reduce(0) { $0 + $1.taken } }
    /// Messages that are not taken yet.
    package var left: Int { unmarked - beingMarked + offered }
    /// Of those, the ones that this node attempts no more.
    package var offered: Int { beingMarked + heirs.values.reduce(0) { $0 + $1.marked - $1.taken } }
}

extension Leaver {
    /// What keeps a leaving from going on: somebody must do something, or it waits for ever.
    package enum Obstacle: Sendable, Equatable {
        /// Nothing else is left to do, and these took messages, or may have: only they can say.
        case silent([NodeID])
        case nobodyThere
        case noRoom
    }

    package func obstacle(now: Uptime) -> Obstacle? {
        guard phase == .giving || phase == .confirming else { return nil }
        guard !living.isEmpty else { return .nobodyThere }
        let isMoreToGive =
            !queue.isEmpty || !marking.isEmpty || living.contains { heirs[$0]?.isSettled == false }
        if isMoreToGive {
            let takers = heirs.values.filter { isTaker($0.standing) }
            return takers.allSatisfy { $0.isResting(now: now) } ? .noRoom : nil
        }
        let silent = heirs.filter { $1.standing == .silent && !$1.marks.isEmpty }.map(\.key).sorted()
        return silent.isEmpty ? nil : .silent(silent)
    }

    package var account: LeavingAccount {
        var account = LeavingAccount()
        account.unmarked = queue.count + held.count
        account.beingMarked = held.count
        for (heir, terms) in heirs where !terms.marks.isEmpty {
            account.heirs[heir, default: LeavingAccount.Share()].marked = terms.marks.count
            account.heirs[heir, default: LeavingAccount.Share()].taken = terms.takenCount
        }
        return account
    }
}
