package import MailValues

/// What the shell knows about a connection before a word is said.
package struct ConnectionFacts: Sendable, Equatable {
    /// Unique in this process; stands in logs as `session`.
    package var session: UInt64
    /// The client's address, after PROXY and XCLIENT.
    package var client: IPAddress
    package var clientPort: UInt16
    /// The address of ours that it came to.
    package var local: IPAddress
    package var localPort: UInt16
    /// The connecting peer's own address, when PROXY or XCLIENT said another.
    package var proxy: IPAddress?
    /// The client's name by reverse DNS, confirmed forward; from XCLIENT or a look-up, if any.
    package var clientName: String?
    /// PROXY LOCAL or UNKNOWN: may only EHLO and QUIT.
    package var isHealthCheck: Bool
    package var tls: TLSFacts?

    package init(
        session: UInt64, client: IPAddress, clientPort: UInt16, local: IPAddress, localPort: UInt16,
        proxy: IPAddress? = nil, clientName: String? = nil, isHealthCheck: Bool = false, tls: TLSFacts? = nil
    ) {
        self.session = session
        self.client = client
        self.clientPort = clientPort
        self.local = local
        self.localPort = localPort
        self.proxy = proxy
        self.clientName = clientName
        self.isHealthCheck = isHealthCheck
        self.tls = tls
    }
}

/// What a finished handshake showed.
package struct TLSFacts: Sendable, Equatable {
    /// `TLSv1.3`
    package var version: String
    /// `TLS_AES_256_GCM_SHA384`
    package var cipher: String
    /// Server name asked for (RFC 6066 §3).
    package var serverName: String?
    /// The peer's certificate, if it sent one: SHA-256 over its DER form, lower-case hexadecimal.
    package var peerFingerprint: String?
    /// DNS and e-mail names of a peer certificate that chains to a configured authority; empty otherwise.
    package var verifiedPeerNames: [String]
    /// 32 octets of keying material for `tls-exporter` (RFC 9266 §2).
    package var exporter: [UInt8]

    package init(
        version: String, cipher: String, serverName: String? = nil, peerFingerprint: String? = nil,
        verifiedPeerNames: [String] = [], exporter: [UInt8] = []
    ) {
        self.version = version
        self.cipher = cipher
        self.serverName = serverName
        self.peerFingerprint = peerFingerprint
        self.verifiedPeerNames = verifiedPeerNames
        self.exporter = exporter
    }
}

/// Numbers a question of one session, so that a late answer to an earlier one is told apart.
package typealias Ticket = UInt32

/// What the machine is told. Octets come by `ServerSession.receive`, the hot way in.
package enum ServerEvent: Sendable, Equatable {
    /// Once, first. The greeting may wait for `answered` to `.connection`.
    case connected
    /// The answer to `ask(ticket, …)`.
    case answered(Ticket, Answer)
    /// After `.startTLS`, or at once on a listener with implicit TLS.
    case tlsEstablished(TLSFacts)
    /// The shell's timer, set by `ServerSession.deadline`, has run out.
    case deadlinePassed
    /// The node is stopping: what is in hand ends, then 421 4.3.2 at the next command; inside a transaction only
    /// once its client has been silent for `SessionLimits.drainTimeout`.
    case drain
    /// The node waits no longer: 421 4.3.2 and the end, whatever is in hand.
    case cut
    /// The peer closed or the connection broke.
    case disconnected
}

/// What the machine wants to know of the house. The shell asks `MailReceiver`.
package enum Question: Sendable, Equatable {
    /// Before the greeting.
    case connection
    /// XCLIENT from a peer (Postfix XCLIENT_README); the receiver says whether it is listed. On `accept`
    /// facts change and the session starts anew.
    indirect case xclient(ConnectionFacts)
    /// EHLO or HELO, with the name as the client gave it (bounded printable ASCII).
    case hello(String, isExtended: Bool)
    case authenticate(AuthenticationStep)
    case mail(MailCommand)
    case recipient(RecipientCommand)
    /// Everything of the message has been handed over as `.content`: take it, and answer only when it is
    /// durable.
    case endOfMessage(MessageFacts)
}

/// A command MAIL, its parameters parsed (RFC 5321 §4.1.1.2).
package struct MailCommand: Sendable, Equatable {
    package enum Body: UInt8, Sendable { case sevenBit, eightBitMIME }
    package enum Return: UInt8, Sendable { case full, headers }

    package var reversePath: ReversePath
    /// SIZE (RFC 1870): octets, as declared.
    package var declaredSize: UInt64?
    package var body: Body?
    package var smtpUTF8: Bool
    /// RET and ENVID (RFC 3461 §4.3, §4.4); the id decoded from xtext.
    package var dsnReturn: Return?
    package var dsnEnvelopeID: String?
    /// AUTH= (RFC 4954 §5), decoded; `<>` as the empty string.
    package var authorization: String?

    package init(
        reversePath: ReversePath, declaredSize: UInt64? = nil, body: Body? = nil, smtpUTF8: Bool = false,
        dsnReturn: Return? = nil, dsnEnvelopeID: String? = nil, authorization: String? = nil
    ) {
        self.reversePath = reversePath
        self.declaredSize = declaredSize
        self.body = body
        self.smtpUTF8 = smtpUTF8
        self.dsnReturn = dsnReturn
        self.dsnEnvelopeID = dsnEnvelopeID
        self.authorization = authorization
    }
}

/// NOTIFY (RFC 3461 §4.1). `never` excludes the others.
package struct DSNNotify: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let never = DSNNotify(rawValue: 1)
    package static let success = DSNNotify(rawValue: 2)
    package static let failure = DSNNotify(rawValue: 4)
    package static let delay = DSNNotify(rawValue: 8)
}

/// A command RCPT, its parameters parsed (RFC 5321 §4.1.1.3).
package struct RecipientCommand: Sendable, Equatable {
    package var mailbox: Mailbox
    /// Octets between `<` and `>` as they came, source route included: what the address-form rules look at.
    package var rawPath: [UInt8]
    package var notify: DSNNotify?
    /// ORCPT (RFC 3461 §4.2): `rfc822;user@example.org`, decoded from xtext (or utf-8-addr-xtext, RFC 6533
    /// §3).
    package var originalRecipient: String?

    package init(
        mailbox: Mailbox, rawPath: [UInt8], notify: DSNNotify? = nil, originalRecipient: String? = nil
    ) {
        self.mailbox = mailbox
        self.rawPath = rawPath
        self.notify = notify
        self.originalRecipient = originalRecipient
    }
}

/// One message of a SASL exchange (RFC 4954 §4), base64 removed.
package enum AuthenticationStep: Sendable, Equatable {
    /// `mechanism` in upper case, one of those offered.
    case begin(mechanism: String, initialResponse: [UInt8]?)
    case response([UInt8])
    /// The client sent `*`.
    case cancelled
}

/// What the framing noticed about a message.
package struct MessageFacts: Sendable, Equatable {
    /// Octets handed over as `.content`, after dot removal and repair of line ends.
    package var sizeOctets: Int
    /// A bare CR or LF was repaired to CRLF.
    package var repairedLineEnds: Bool
    /// Some octet above 127.
    package var hasEightBit: Bool

    package init(sizeOctets: Int, repairedLineEnds: Bool = false, hasEightBit: Bool = false) {
        self.sizeOctets = sizeOctets
        self.repairedLineEnds = repairedLineEnds
        self.hasEightBit = hasEightBit
    }
}

/// The house's answer to a question.
package enum Answer: Sendable, Equatable {
    /// Go on with the machine's own positive reply.
    case accept
    /// Go on, with this reply (the 250 with the queue id, for instance).
    case reply(Reply)
    /// No. 4yz or 5yz; a 421 or 521 also ends the session.
    case refuse(Reply)
    /// `authenticate` only: send `334` with this, base64 added.
    case challenge([UInt8])
    /// `authenticate` only: 235; the account is in force from here on. SCRAM's final message went as a
    /// challenge before.
    case authenticated(account: String)
}

/// What the machine refuses by itself: who asks why his mail does not come must find it written somewhere.
package enum Refused: Sendable, Equatable {
    /// It spoke before we did.
    case connection
    case mail(ReversePath)
    case recipient
    case content
}

/// What the shell must do, in order.
package enum ServerAction: Sendable, Equatable {
    case send(Reply)
    /// The intermediate line of a SASL exchange: `334 ` and these octets (base64 already).
    case sendChallenge([UInt8])
    case ask(Ticket, Question)
    /// MAIL was accepted and the first content octet is about to come; `recipients` in the order of RCPT.
    /// DATA: before the 354. BDAT: before the first chunk is handed over.
    case beginMessage
    /// Octets of the message, dots removed, every line ended by CRLF. At most
    /// `SessionLimits.contentPieceOctets` at a time.
    case content([UInt8])
    /// The machine said no without asking: the house writes it down. Before `abortTransaction`, where there is one.
    case refused(Reply, Refused)
    /// The transaction is gone (RSET, a refused chunk, QUIT, a new EHLO, a lost connection): drop what came
    /// for it.
    case abortTransaction
    /// The answer to `endOfMessage` is overdue. The house takes the message back if it still can, and then refuses
    /// the question; what may already be on disk it answers when it knows.
    case withdraw(Ticket)
    /// Send what is waiting (the 220 among it), then begin the handshake. What the peer had sent behind
    /// STARTTLS ends the session.
    case startTLS
    /// Send what is waiting, then close.
    case close
}
