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
    package var heirs: [NodeID: Share] = [:]
    package init() {}

    package var taken: Int { heirs.values.reduce(0) { $0 + $1.taken } }
    /// Messages that are not taken yet.
    package var left: Int { unmarked + heirs.values.reduce(0) { $0 + $1.marked - $1.taken } }
}

extension Leaver {
    package var account: LeavingAccount {
        var account = LeavingAccount()
        account.unmarked = queue.count + held.count
        for (heir, terms) in heirs where !terms.marks.isEmpty {
            account.heirs[heir, default: LeavingAccount.Share()].marked = terms.marks.count
            account.heirs[heir, default: LeavingAccount.Share()].taken = terms.takenCount
        }
        return account
    }
}
