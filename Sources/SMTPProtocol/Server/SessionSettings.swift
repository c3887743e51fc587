package import MailValues

/// What the sessions of one listener are told to be.
package struct SessionOptions: Sendable, Equatable {
    /// TLS on this listener.
    package enum TLSMode: UInt8, Sendable { case none, startTLS, implicit }
    /// A bare CR or LF in a message.
    package enum LineEndPolicy: UInt8, Sendable {
        /// Becomes CRLF, and is marked in `MessageFacts`.
        case repair
        /// 550 at the end of the message.
        case refuse
    }
    /// A client that talks before it is greeted.
    package enum EarlyTalkerPolicy: UInt8, Sendable { case refuse, allow }

    /// Our name in the greeting and in the reply to EHLO.
    package var hostname: Domain
    /// What follows the name in the greeting.
    package var greetingText = "ESMTP"
    /// Keywords of extensions that are not offered here, in upper case: `DSN`, for instance.
    package var withheldExtensions: Set<String> = []
    package var tls = TLSMode.none
    /// MAIL only after TLS (530).
    package var requiresTLS = false
    /// Mechanisms of AUTH, in upper case, best first: SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN EXTERNAL;
    /// none: AUTH is not offered. `-PLUS` and EXTERNAL are offered only where the session's TLS supports
    /// them.
    package var authenticationMechanisms: [String] = []
    package var allowsClearAuthentication = false
    package var lineEnds = LineEndPolicy.repair
    package var earlyTalkers = EarlyTalkerPolicy.refuse
    /// Peers that may say XCLIENT.
    package var xclientPeers = NetworkSet()
    package var limits = SessionLimits()

    package init(hostname: Domain) { self.hostname = hostname }
}

/// `SessionOptions` made ready: shared by all sessions of a listener, replies and milliseconds computed once.
package final class SessionSettings: Sendable {
    package let options: SessionOptions
    package let limits: SessionLimits
    let extensions: [any ServiceExtension.Type]
    let greeting: Reply
    let helo: Reply
    let timeouts: SessionTimeouts
    let mailLineOctets: Int
    let recipientLineOctets: Int
    /// Octets of the longest line that any command may have.
    let longestLineOctets: Int
    private let ehlo: [Reply]

    package init(_ options: SessionOptions) {
        precondition(options.limits.contentPieceOctets > 0, "a piece of content holds something")
        self.options = options
        limits = options.limits
        let offered = ExtensionCatalog.all.filter {
            !options.withheldExtensions.contains($0.keyword) && $0.isEnabled(options)
        }
        extensions = offered
        greeting = Reply(220, nil, "\(options.hostname.name) \(options.greetingText)")
        helo = Reply(250, nil, options.hostname.name)
        timeouts = SessionTimeouts(options.limits)
        mailLineOctets = offered.reduce(limits.commandLineOctets) { $0 + $1.mailLineOctets }
        recipientLineOctets = offered.reduce(limits.commandLineOctets) { $0 + $1.recipientLineOctets }
        let authentication = options.authenticationMechanisms.isEmpty ? 0 : limits.authenticationLineOctets
        longestLineOctets = max(mailLineOctets, recipientLineOctets, authentication)
        ehlo = (0...SessionSituation.all.rawValue).map { bits in
            let situation = SessionSituation(rawValue: bits)
            let lines = offered.compactMap { $0.line(options, situation) }
            return Reply(250, nil, ([options.hostname.name] + lines).joined(separator: "\n"))
        }
    }

    func ehlo(_ situation: SessionSituation) -> Reply { ehlo[Int(situation.rawValue)] }

    func offers(_ keyword: String) -> Bool { extensions.contains { $0.keyword == keyword } }
}

/// What of a session decides which extensions it is offered.
package struct SessionSituation: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    static let encrypted = SessionSituation(rawValue: 1)
    static let authenticated = SessionSituation(rawValue: 2)
    /// The client showed a certificate, so AUTH EXTERNAL means something.
    static let certified = SessionSituation(rawValue: 4)
    /// There is keying material to bind to (RFC 9266).
    static let bindable = SessionSituation(rawValue: 8)
    static let mayXclient = SessionSituation(rawValue: 16)
    static let all: SessionSituation = [.encrypted, .authenticated, .certified, .bindable, .mayXclient]
}

/// The times of `SessionLimits` in milliseconds: `Duration` divides 128 bits each time it is asked.
struct SessionTimeouts: Sendable {
    let command, content, message, handshake, answer, session, drain: Int64

    init(_ limits: SessionLimits) {
        command = limits.commandTimeout.wholeMilliseconds
        content = limits.contentTimeout.wholeMilliseconds
        message = limits.messageTimeout.wholeMilliseconds
        handshake = limits.handshakeTimeout.wholeMilliseconds
        answer = limits.answerTimeout.wholeMilliseconds
        session = limits.sessionTimeout.wholeMilliseconds
        drain = limits.drainTimeout.wholeMilliseconds
    }
}
