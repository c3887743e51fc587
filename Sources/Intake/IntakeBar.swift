import MailValues
import SMTPProtocol
import Synchronization

/// Stands where a node may take no mail although its store could: nobody would deliver it.
package final class IntakeBar: Sendable {
    private let obstacle = Mutex<String?>(nil)

    package init() {}

    /// Why no mail is taken, for operators; nil: it is.
    package var why: String? { obstacle.withLock { $0 } }

    /// Transactions that have begun go on.
    package func set(_ why: String?) { obstacle.withLock { $0 = why } }

    /// What a client hears (RFC 3463 §3.4, X.3.2): nothing of why.
    static let reply = Reply(
        451, EnhancedStatus(4, 3, 2), "System not accepting messages now, try again later")
}
