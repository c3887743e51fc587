package import MailValues

/// Who may relay, as the configuration says it. Everything not listed is refused.
package struct RelaySettings: Sendable {
    /// Our own name, as the greeting says it.
    package var hostname: Domain
    /// Addresses that reach us, for literals like `postmaster@[192.0.2.1]`.
    package var ownAddresses: Set<IPAddress> = []
    /// Who reads what comes for `<postmaster>`; has no default.
    package var postmaster: Mailbox
    /// Who reads what comes for abuse; nil: the postmaster.
    package var abuse: Mailbox?
    /// Clients in these may send to anybody.
    package var networks = NetworkSet()
    /// Clients in these may be anybody's: see `SharedNetwork`.
    package var sharedNetworks: [SharedNetwork] = []
    /// SHA-256 fingerprints of client certificates that may relay; hexadecimal, with or without colons.
    package var certificateFingerprints: Set<String> = []
    /// Names in client certificates that may relay, where the certificate chains to the named authority.
    package var certificateNames: Set<String> = []
    /// What each account may send as; one that is missing here, as its own name.
    package var accounts: [String: SenderScope] = [:]
    package var relayDomains: [RelayDomain] = []
    package var routes = RouteTable()

    package init(hostname: Domain, postmaster: Mailbox) {
        self.hostname = hostname
        self.postmaster = postmaster
    }
}

/// A domain whose mail we take from everybody.
package struct RelayDomain: Sendable, Equatable {
    /// `example.org`, or `.example.org` for every name below it.
    package var pattern: String
    package var recipients: RecipientDirectory

    package init(_ pattern: String, recipients: RecipientDirectory) {
        self.pattern = pattern
        self.recipients = recipients
    }
}

/// Networks of a provider that serves others beside us: an address in them proves nothing by itself.
///
/// The right they give is provisional. It needs a sender in our domains, and, once the content is there, an
/// author in our domains and a header that the provider alone can write, such as `X-OriginatorOrg`.
package struct SharedNetwork: Sendable, Equatable {
    /// For logs and `explain`.
    package var name: String
    package var networks: NetworkSet
    /// Domains that MAIL FROM must be of; empty lets nobody through.
    package var senderDomains: Set<Domain>
    /// Domains that every author in From must be of.
    package var authorDomains: Set<Domain>
    package var headerName: String
    /// Compared without regard to case of ASCII; the header must say this and nothing else, wherever it
    /// stands.
    package var headerValue: String

    package init(
        name: String, networks: NetworkSet, senderDomains: Set<Domain>, authorDomains: Set<Domain>,
        headerName: String,
        headerValue: String
    ) {
        self.name = name
        self.networks = networks
        self.senderDomains = senderDomains
        self.authorDomains = authorDomains
        self.headerName = headerName
        self.headerValue = headerValue
    }
}
