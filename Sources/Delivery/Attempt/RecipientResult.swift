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
    /// With whom it happened; nil: no host took part.
    var host: String?
    /// The reply is our own about that host, which gave none.
    var isOurWord = false
    /// The peer reports about success itself, as far as it was asked to (RFC 3461 §5.2.1).
    var peerReports = false

    init(
        index: Int, kind: Kind, reply: Reply, host: String? = nil, isOurWord: Bool = false,
        peerReports: Bool = false
    ) {
        self.index = index
        self.kind = kind
        self.reply = reply
        self.host = host
        self.isOurWord = isOurWord
        self.peerReports = peerReports
    }

    init(index: Int, kind: Kind, _ failure: HostFailure) {
        self.init(
            index: index, kind: kind, reply: failure.reply, host: failure.host, isOurWord: failure.isOurWord)
    }

    /// A host of the site answered.
    var isAnswer: Bool { host != nil && !isOurWord }
}
