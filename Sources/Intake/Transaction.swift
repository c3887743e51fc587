import Cryptography
import MailValues
import MessageFormat
import QueueEngine
import RoutingPolicy
import SMTPProtocol

/// One transaction of a session: the envelope, and the message while it comes.
struct Transaction {
    let mail: MailCommand
    /// Who spoke at MAIL; AUTH and STARTTLS cannot come within a transaction.
    let standing: ClientStanding
    var recipients: [Recipient] = []
    var right: Right?
    var provisional: SharedRight?
    var message: MessageUnderway?

    init(_ mail: MailCommand, standing: ClientStanding) {
        self.mail = mail
        self.standing = standing
    }

    mutating func add(_ command: RecipientCommand, as mailbox: Mailbox) {
        recipients.append(
            Recipient(
                mailbox: mailbox, notify: command.notify, originalRecipient: command.originalRecipient))
    }
}

/// A message that is being received.
///
/// What fits one chunk stays in memory until its end. A larger one goes to the store chunk by chunk, ahead of
/// its envelope; its header section is complete in the first chunk, or the message is refused.
final class MessageUnderway: @unchecked Sendable {
    // @unchecked: used on the session's lane alone.
    let id: QueueID
    let startedAt: Timestamp
    /// What has not gone to the store yet.
    var pieces: [[UInt8]] = []
    var pieceOctets = 0
    /// Octets stored or about to be, our trace header included.
    var sizeOctets = 0
    /// Octets counted in the budget and not yet given back.
    var budgeted = 0
    var chunksBegun: UInt32 = 0
    var chunksInFlight = 0
    var digest: Digest?
    /// Where verdicts are asked for.
    var fingerprints: FingerprintReader?
    /// The refusal that stands already; what still comes is dropped.
    var refusal: Reply?
    var isAbandoned = false
    /// Set when the end has come and only chunks in flight keep the envelope from being written.
    var finish: (() -> Void)?

    init(id: QueueID, at startedAt: Timestamp) {
        self.id = id
        self.startedAt = startedAt
    }

    /// A class, because a digest that is under way cannot be copied.
    final class Digest {
        private var sha256 = SHA256()
        func update(_ pieces: [[UInt8]]) { for piece in pieces { sha256.update(piece) } }
        func finish() -> [UInt8] { sha256.finish() }
    }
}
