package import MailValues

/// Where to open a connection, and how.
package struct DialTarget: Sendable, Equatable {
    package enum Language: UInt8, Sendable { case smtp, lmtp }
    package enum TLSMode: Sendable, Equatable {
        /// No TLS, even if offered.
        case none
        /// If offered; any certificate, lowest security level. A failed handshake throws `tlsFailed`: the
        /// caller may dial anew with `none`.
        case may
        /// Encrypted or not at all; any certificate.
        case require
        /// Encrypted, and the certificate chains to a trusted authority and bears one of the names.
        case verify(names: [String])
    }

    package var address: IPAddress
    package var port: UInt16
    /// The host's name, for SNI and logs; an MX's target or the smarthost's name.
    package var hostName: String
    /// Where the connection comes from; nil lets the kernel choose.
    package var source: IPAddress?
    package var language: Language
    package var tls: TLSMode
    /// TLS from the first octet (port 465).
    package var implicitTLS: Bool
    package var credentials: Credentials?
    /// What we say in EHLO or LHLO.
    package var helloName: String

    package struct Credentials: Sendable, Equatable {
        package var user: String
        package var password: String
        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    package init(
        address: IPAddress, port: UInt16, hostName: String, source: IPAddress? = nil,
        language: Language = .smtp,
        tls: TLSMode = .may, implicitTLS: Bool = false, credentials: Credentials? = nil, helloName: String
    ) {
        self.address = address
        self.port = port
        self.hostName = hostName
        self.source = source
        self.language = language
        self.tls = tls
        self.implicitTLS = implicitTLS
        self.credentials = credentials
        self.helloName = helloName
    }
}

/// Why there is no session with a host.
package enum DialError: Error, Sendable, Equatable {
    /// TCP: refused, unreachable, timed out.
    case notConnected(detail: String)
    /// The greeting, EHLO or AUTH was answered with this.
    case refused(Reply, during: String)
    /// The host offers no STARTTLS and the mode asks for it.
    case tlsNotOffered
    /// Handshake or certificate; `detail` is for the log.
    case tlsFailed(detail: String)
    /// It broke off or broke the rules before the session stood.
    case broken(detail: String)
}

/// What the peer offers (its EHLO reply after TLS).
package struct PeerCapabilities: Sendable, Equatable {
    package var pipelining = false
    package var eightBitMIME = false
    package var smtpUTF8 = false
    package var chunking = false
    package var dsn = false
    package var enhancedStatusCodes = false
    /// SIZE; 0: no fixed limit; nil: not offered.
    package var size: UInt64?
    /// LIMITS RCPTMAX and MAILMAX (RFC 9422).
    package var recipientMaximum: Int?
    package var mailMaximum: Int?
    package init() {}
}

/// One message for some recipients, to be sent in one transaction.
package struct OutboundTransaction: Sendable, Equatable {
    package struct Recipient: Sendable, Equatable {
        package var mailbox: Mailbox
        /// Given only where the peer offers DSN.
        package var notify: DSNNotify?
        package var originalRecipient: String?
        package init(mailbox: Mailbox, notify: DSNNotify? = nil, originalRecipient: String? = nil) {
            self.mailbox = mailbox
            self.notify = notify
            self.originalRecipient = originalRecipient
        }
    }

    package var reversePath: ReversePath
    package var recipients: [Recipient]
    package var sizeOctets: Int
    package var body: MailCommand.Body?
    package var smtpUTF8: Bool
    package var dsnReturn: MailCommand.Return?
    package var dsnEnvelopeID: String?

    package init(
        reversePath: ReversePath, recipients: [Recipient], sizeOctets: Int, body: MailCommand.Body? = nil,
        smtpUTF8: Bool = false, dsnReturn: MailCommand.Return? = nil, dsnEnvelopeID: String? = nil
    ) {
        self.reversePath = reversePath
        self.recipients = recipients
        self.sizeOctets = sizeOctets
        self.body = body
        self.smtpUTF8 = smtpUTF8
        self.dsnReturn = dsnReturn
        self.dsnEnvelopeID = dsnEnvelopeID
    }
}

/// The octets of a message on their way out: every line ends with CRLF, no dots added.
package protocol ContentSource: AnyObject, Sendable {
    /// The next pieces, empty at the end. A throw means that we could not read: the transaction is given up
    /// without a final dot.
    func next() async throws -> [[UInt8]]
    /// From the beginning again, for another attempt.
    func rewind()
}

/// How a transaction ended, recipient by recipient.
package struct TransactionOutcome: Sendable, Equatable {
    package enum RecipientOutcome: Sendable, Equatable {
        /// The peer took responsibility: 2yz to the end of data (LMTP: this recipient's own).
        case delivered(Reply)
        /// 4yz or 5yz, and to which command.
        case refused(Reply, command: String)
        /// No reply: the connection broke or timed out. `afterDot`: the final dot may have arrived, the peer
        /// may have the message.
        case lost(detail: String, afterDot: Bool)
    }
    /// In the order of `OutboundTransaction.recipients`.
    package var recipients: [RecipientOutcome]
    /// False: the connection is of no further use.
    package var connectionUsable: Bool
    package init(recipients: [RecipientOutcome], connectionUsable: Bool) {
        self.recipients = recipients
        self.connectionUsable = connectionUsable
    }
}

/// An open, greeted session with a next hop. One transaction at a time.
package protocol ClientConnection: AnyObject, Sendable {
    var target: DialTarget { get }
    var capabilities: PeerCapabilities { get }
    var tls: TLSFacts? { get }
    /// False once the peer has closed or said 421 while idle.
    var isUsable: Bool { get }
    func send(_ transaction: OutboundTransaction, content: any ContentSource) async -> TransactionOutcome
    /// QUIT, politely, without waiting long.
    func quit() async
    /// Reset the connection now.
    func abort()
}

package protocol Dialer: Sendable {
    func dial(_ target: DialTarget) async throws(DialError) -> any ClientConnection
}
