package import Intake
package import MailValues
package import RoutingPolicy
package import SMTPProtocol

/// One place where clients come in.
package struct ListenerConfiguration: Sendable {
    package enum OldestTLS: String, Sendable, CaseIterable {
        case v10 = "1.0"
        case v12 = "1.2"
        case v13 = "1.3"
    }

    package var name: ListenerName
    package var endpoints: [SocketEndpoint]
    package var kind: ClientStanding.ListenerKind
    package var tls: SessionOptions.TLSMode
    /// MAIL only after TLS.
    package var requiresTLS = false
    package var oldestTLS = OldestTLS.v12
    package var offersAuthentication: Bool
    package var allowsClearAuthentication = false
    /// Clients are asked for a certificate; none is needed.
    package var asksClientCertificate: Bool
    /// Peers whose connections begin with a PROXY header, and must.
    package var proxyPeers = NetworkSet()
    package var xclientPeers = NetworkSet()
    package var offersDSN: Bool
    /// Whose name accounts may write into From.
    package var authors = AuthorRule.own
    package var lineEnds = SessionOptions.LineEndPolicy.repair
    package var earlyTalkers = SessionOptions.EarlyTalkerPolicy.refuse
    /// The client's name is looked up for the trace header.
    package var looksUpNames: Bool
    /// Everything that comes in here is accepted and held until somebody releases it.
    package var holdsMessages = false
    /// What is done about clients and accounts of whom nothing good is known.
    package var reputation: GateRule
    /// What is done about messages that somebody has condemned.
    package var verdicts = VerdictRule.reject
    package var greeting = "ESMTP"
    /// The general ones, changed by what this listener says.
    package var limits: SessionLimits

    /// The defaults follow the kind: strangers get the least.
    package init(
        name: ListenerName, endpoints: [SocketEndpoint], kind: ClientStanding.ListenerKind,
        limits: SessionLimits
    ) {
        self.name = name
        self.endpoints = endpoints
        self.kind = kind
        self.limits = limits
        tls = .startTLS
        offersAuthentication = kind == .submission
        asksClientCertificate = kind != .mx
        offersDSN = kind != .mx
        looksUpNames = kind == .mx
        // Strangers are answered slowly before anybody is refused by what was counted; who has an account, or is one
        // of ours, is somebody to talk to.
        reputation = kind == .mx ? .slow : .note
    }
}
