package import MailValues
package import MessageFormat
package import RoutingPolicy
package import SMTPProtocol

/// What intake goes by: made at each reload, then shared by all transactions that begin under it.
package final class IntakePolicy: Sendable {
    package struct Listener: Sendable {
        package var kind: ClientStanding.ListenerKind
        /// Look up the client's name (PTR, confirmed) beside the session, for the trace header.
        package var looksUpNames = false
        /// Peers that may say XCLIENT.
        package var xclientPeers = NetworkSet()

        /// Whose name accounts may write into From.
        package var authors = AuthorRule.own

        /// Messages are taken and held.
        package var holdsMessages = false

        /// What is done about those of whom nothing good is known.
        package var reputation = GateRule.off
        /// What is done about messages of which nothing good is known.
        package var verdicts = VerdictRule.off

        package init(kind: ClientStanding.ListenerKind) { self.kind = kind }
    }

    package let hostname: Domain
    /// Whom clients that are turned away may ask.
    package let postmaster: Mailbox?
    package let relay: RelayPolicy
    package let listeners: [ListenerName: Listener]
    package let headerRules: HeaderRules
    package let sessionLimits: SessionCensus.Limits
    package let slowing: Slowing.Limits
    /// `Received` fields beyond which a message goes in circles (RFC 5321 §6.3: at least 100).
    package let hopLimit: Int
    /// Octets of one chunk of a large message; up to this a message is one value of the store.
    package let chunkOctets: Int

    package init(
        hostname: Domain, postmaster: Mailbox? = nil, relay: RelayPolicy, listeners: [ListenerName: Listener],
        headerRules: HeaderRules,
        sessionLimits: SessionCensus.Limits, slowing: Slowing.Limits = Slowing.Limits(), hopLimit: Int = 100,
        chunkOctets: Int = 256 * 1024
    ) {
        precondition(
            headerRules.limits.sectionOctets <= chunkOctets, "the header section must fit the first chunk")
        self.hostname = hostname
        self.postmaster = postmaster
        self.relay = relay
        self.listeners = listeners
        self.headerRules = headerRules
        self.sessionLimits = sessionLimits
        self.slowing = slowing
        self.hopLimit = hopLimit
        self.chunkOctets = chunkOctets
    }
}
