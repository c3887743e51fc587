import MailValues

/// How long we wait for a peer, reply by reply; a reply that comes octet by octet gains nothing.
package struct ClientTimeouts: Sendable, Equatable {
    /// RFC 5321 §4.5.3.2.1.
    package var greeting: Duration = .seconds(300)
    /// EHLO, STARTTLS, AUTH: each. The RFC names none; MAIL's is taken.
    package var opening: Duration = .seconds(300)
    package var handshake: Duration = .seconds(60)
    /// MAIL, RCPT, RSET (RFC 5321 §4.5.3.2.2, §4.5.3.2.3).
    package var command: Duration = .seconds(300)
    /// DATA to 354 (RFC 5321 §4.5.3.2.4).
    package var dataStart: Duration = .seconds(120)
    /// From one piece of content to the next, our own reading included (RFC 5321 §4.5.3.2.5).
    package var dataBlock: Duration = .seconds(180)
    /// The final dot, or a chunk, to its reply (RFC 5321 §4.5.3.2.6).
    package var dataEnd: Duration = .seconds(600)
    /// QUIT to 221: a courtesy, not worth a wait.
    package var quit: Duration = .seconds(5)
    package init() {}
}

/// What the machine is told. Octets come by `ClientSession.receive`.
package enum ClientEvent: Sendable, Equatable {
    /// TCP stands.
    case connected
    /// After `.startTLS`.
    case tlsEstablished(TLSFacts)
    /// The handshake, or a record after it.
    case tlsFailed(detail: String)
    /// The answer to `.authenticate`; nil: give up.
    case authenticationResponse([UInt8]?)
    /// A transaction, only after `.ready` and one at a time. `content` is its beginning, all of it if
    /// `isWhole`.
    case begin(OutboundTransaction, content: [[UInt8]], isWhole: Bool)
    /// The answer to `.needContent`; `isLast`: nothing follows.
    case content([[UInt8]], isLast: Bool)
    /// The answer to `.needContent` when we cannot read our own message.
    case contentFailed
    case quit
    /// The shell's timer, set by `ClientSession.deadline`, has run out.
    case deadlinePassed
    /// The peer closed or the connection broke; `detail` is for the log.
    case disconnected(detail: String)
}

/// What the shell must do, in order.
package enum ClientAction: Sendable, Equatable {
    case send([UInt8])
    /// Send what is waiting, then begin the handshake.
    case startTLS
    /// Compute the next message of a SCRAM-SHA-256 exchange; `challenge` is nil for the first. Base64 is
    /// removed here.
    case authenticate(challenge: [UInt8]?)
    /// The session stands: `capabilities` and `tls` are final.
    case ready
    /// There will be no session.
    case failed(DialError)
    /// Give the next pieces by `.content`, when what was sent has mostly left.
    case needContent
    case finished(TransactionOutcome)
    /// Send what is waiting, then close.
    case close
}
