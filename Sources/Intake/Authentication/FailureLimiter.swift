internal import Cryptography
internal import MailValues

/// Counts failed logins by network and by account, and says when there were too many.
///
/// A failure is charged before the password is looked at and refunded if it was right: otherwise many guesses
/// at once would all pass while the first is still being digested.
struct FailureLimiter: Sendable {
    struct Attempt: Sendable, Hashable {
        let network: Network
        /// Nil for what can be no name.
        let account: PreparedName?

        /// A provider gives a customer a /64, and a rented host has neighbours in its /24.
        init(from client: IPAddress, account: PreparedName?) {
            network = Network(client, prefixLength: client.isV4 ? 24 : 64)
            self.account = account
        }
    }

    /// How many failures are not yet forgiven, as of a moment.
    private struct Debt: Sendable {
        var count: Double
        var at: Timestamp

        func forgiven(until now: Timestamp, ratePerMillisecond: Double) -> Double {
            max(0, count - ratePerMillisecond * Double(max(0, now.milliseconds - at.milliseconds)))
        }
    }

    private let settings: AuthenticationSettings
    private var byNetwork: RecentTable<Network, Debt>
    private var byAccount: RecentTable<PreparedName, Debt>
    /// Where each account has logged in: who guesses from elsewhere must not lock its owner out.
    private var familiar: RecentTable<Attempt, Void>

    init(_ settings: AuthenticationSettings) {
        self.settings = settings
        byNetwork = RecentTable(capacity: settings.memoryEntries)
        byAccount = RecentTable(capacity: settings.memoryEntries)
        familiar = RecentTable(capacity: settings.memoryEntries)
    }

    /// Counts a failure in advance; false, and nothing is counted, if there were too many already.
    mutating func charge(_ attempt: Attempt, now: Timestamp) -> Bool {
        guard bears(attempt, now: now) else { return false }
        let network = debt(byNetwork[attempt.network], limit: settings.failuresPerNetwork, now)
        byNetwork[attempt.network] = Debt(count: network + 1, at: now)
        guard let account = attempt.account else { return true }
        let owed = debt(byAccount[account], limit: settings.failuresPerAccount, now)
        byAccount[account] = Debt(count: min(owed + 1, Double(settings.failuresPerAccount)), at: now)
        return true
    }

    /// Whether one more failure would be borne; nothing is counted.
    func bears(_ attempt: Attempt, now: Timestamp) -> Bool {
        let network = debt(byNetwork[attempt.network], limit: settings.failuresPerNetwork, now)
        guard network + 1 <= Double(settings.failuresPerNetwork) else { return false }
        guard let account = attempt.account, familiar[attempt] == nil else { return true }
        let owed = debt(byAccount[account], limit: settings.failuresPerAccount, now)
        return owed + 1 <= Double(settings.failuresPerAccount)
    }

    /// The password was right, or nobody looked at it: the failure was none.
    mutating func refund(_ attempt: Attempt, now: Timestamp) {
        let network = debt(byNetwork[attempt.network], limit: settings.failuresPerNetwork, now)
        byNetwork[attempt.network] = Debt(count: max(0, network - 1), at: now)
        guard let account = attempt.account else { return }
        let owed = debt(byAccount[account], limit: settings.failuresPerAccount, now)
        byAccount[account] = Debt(count: max(0, owed - 1), at: now)
    }

    mutating func succeeded(_ attempt: Attempt) { familiar[attempt] = () }

    private func debt(_ debt: Debt?, limit: Int, _ now: Timestamp) -> Double {
        let rate = Double(limit) / Double(max(1, settings.failureWindow.wholeMilliseconds))
        return debt?.forgiven(until: now, ratePerMillisecond: rate) ?? 0
    }
}
