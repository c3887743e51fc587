/// What one client may make us hold, and for how long.
package struct SessionLimits: Sendable, Equatable {
    /// Octets in a command line, CRLF included (RFC 5321 §4.5.3.1.4); each extension adds its own.
    package var commandLineOctets = 512
    /// Octets in a line of a SASL exchange, AUTH itself among them (RFC 4954 §4).
    package var authenticationLineOctets = 12_288
    /// Lines a client may send in one SASL exchange; the longest we offer needs three.
    package var authenticationRounds = 8
    /// Recipients of one transaction; at least 100 must be taken (RFC 5321 §4.5.3.1.8).
    package var recipientCount = 1_000
    /// Recipients of a transaction with a null reverse-path.
    /// §4.5.3.1.8 asks for 100; it gets one, because a bounce has one addressee.
    package var nullPathRecipientCount = 1
    /// Transactions of one session; nil: as many as there is time for.
    package var transactionCount: Int?
    /// Octets of a message as handed on; at least 64 KiB must be taken (RFC 5321 §4.5.3.1.7).
    package var messageOctets = 50 * 1024 * 1024
    /// Octets of a message's header section.
    package var headerOctets = 512 * 1024
    /// Octets of a text line without its end. RFC 5321 §4.5.3.1.6 allows 998; real mail holds HTML in one
    /// line.
    package var textLineOctets = 1024 * 1024
    /// Replies 5yz in a session, since the last message taken, before 421.
    package var errorCount = 20
    /// Commands that carry no mail (NOOP, RSET, VRFY, HELP, EHLO …), since the last message taken, before
    /// 421.
    package var junkCommandCount = 100
    /// Octets of `ServerAction.content`.
    package var contentPieceOctets = 64 * 1024
    /// Octets that came while the house thinks, above which we want no more.
    package var pipelinedOctets = 64 * 1024
    /// From greeting or reply to the end of the next command; at least five minutes (RFC 5321 §4.5.3.2.7).
    package var commandTimeout: Duration = .seconds(300)
    /// Silence within a message, after which we hang up (RFC 5321 §4.5.3.2.5 lets a client wait three
    /// minutes).
    package var contentTimeout: Duration = .seconds(300)
    /// From the first octet of a message, or of a chunk, to its last.
    package var messageTimeout: Duration = .seconds(3600)
    /// From 220 to the end of the handshake.
    package var handshakeTimeout: Duration = .seconds(60)
    /// For the house to answer a question; the client waits ten minutes after the last octet (RFC 5321
    /// §4.5.3.2.6). A message that may be stored by then gets no answer of ours, and as long again for the store's.
    package var answerTimeout: Duration = .seconds(540)
    /// For a whole session; a transaction in hand is let end.
    package var sessionTimeout: Duration = .seconds(4 * 3600)
    /// For the next command, or the next octets of a message, once the node stops.
    package var drainTimeout: Duration = .seconds(5)

    package init() {}
}
