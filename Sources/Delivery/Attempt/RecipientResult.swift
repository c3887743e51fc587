import MailValues

/// What one attempt came to for one recipient.
struct RecipientResult: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// The next hop took responsibility.
        case delivered
        /// Never: the sender is told.
        case bounced
        /// Not now: tried again later.
        case deferred
        /// We cannot read the message ourselves: not now, and however late it is, not returned for that.
        case withheld
    }

    /// Its place in the envelope.
    var index: Int
    var kind: Kind
    /// The peer's reply, or our own words where no peer gave one.
    var reply: Reply
    /// Who gave the reply; nil: we.
    var host: String?
    /// The peer reports about success itself, as far as it was asked to (RFC 3461 §5.2.1).
    var peerReports = false
}
