package import MailValues
package import SMTPProtocol

/// Who may relay what to where. Made from settings at each reload, then shared by all sessions.
///
/// The rule is *refuse*. A recipient is taken if its domain is one of ours and it exists there, or if the
/// client has a right of its own: a listed network, an account, a listed certificate. A client in a shared
/// network has a provisional right, decided when the content has come.
package final class RelayPolicy: Sendable {
    package let routes: RouteTable

    private let postmaster: Mailbox
    private let abuse: Mailbox
    private let hostname: Domain
    private let ownAddresses: Set<IPAddress>
    private let networks: NetworkSet
    private let sharedNetworks: [SharedNetwork]
    private let fingerprints: Set<String>
    private let certificateNames: Set<String>
    private let accounts: [String: SenderScope]
    private let domains: DomainTable<RecipientDirectory>

    package init(_ settings: RelaySettings) {
        routes = settings.routes
        postmaster = settings.postmaster
        abuse = settings.abuse ?? settings.postmaster
        hostname = settings.hostname
        ownAddresses = settings.ownAddresses
        networks = settings.networks
        sharedNetworks = settings.sharedNetworks
        fingerprints = Set(settings.certificateFingerprints.map(Self.plainFingerprint))
        certificateNames = Set(settings.certificateNames.map { Domain($0).name })
        accounts = settings.accounts
        var domains = DomainTable<RecipientDirectory>()
        for domain in settings.relayDomains { domains.insert(domain.recipients, for: domain.pattern) }
        self.domains = domains
    }

    /// The client's own right to send anywhere, if it has one.
    package func right(of client: ClientStanding) -> Right? {
        if let account = client.account { return .account(account) }
        if let network = networks.network(containing: client.address) { return .network(network) }
        return certificateRight(of: client)
    }

    private func certificateRight(of client: ClientStanding) -> Right? {
        if let fingerprint = client.certificateFingerprint,
            fingerprints.contains(Self.plainFingerprint(fingerprint))
        {
            return .certificate(fingerprint)
        }
        guard !certificateNames.isEmpty else { return nil }
        return client.certificateNames.first { certificateNames.contains(Domain($0).name) }.map(
            Right.certificate)
    }

    /// Whether a domain is one that we take mail for.
    package func isRelayDomain(_ domain: Domain) -> Bool { domains.value(for: domain) != nil }

    // MARK: MAIL

    /// Whether this client may send as `sender` here. nil: yes.
    package func senderDecision(_ sender: ReversePath, client: ClientStanding) -> Reply? {
        switch client.listener {
        case .mx:
            break
        case .submission:
            // RFC 6409 §4.3: who submits has shown who he is.
            if client.account == nil && certificateRight(of: client) == nil {
                return Replies.authenticationRequired
            }
        case .inside:
            if right(of: client) == nil
                && !sharedNetworks.contains(where: { $0.networks.contains(client.address) })
            {
                return Replies.notInside
            }
        }
        guard let account = client.account, let mailbox = sender.mailbox else { return nil }
        return mayAccount(account, sendAs: mailbox) ? nil : Replies.notYourAddress
    }

    /// Whether an account may write `mailbox` as sender or author (RFC 6409 §6.1).
    package func mayAccount(_ account: String, sendAs mailbox: Mailbox) -> Bool {
        if let scope = accounts[account] { return scope.allows(mailbox) }
        return account.utf8.contains(0x40) && SenderScope([account])?.allows(mailbox) == true
    }

    /// Whether an account may write whatever it likes there.
    func mayAccountBeAnybody(_ account: String) -> Bool { accounts[account]?.isUnlimited == true }

    // MARK: RCPT

    package func recipientDecision(
        _ recipient: RecipientCommand, sender: ReversePath, client: ClientStanding
    ) -> RecipientDecision {
        let mailbox = recipient.mailbox
        if AddressTrick.hasControls(recipient.rawPath) { return .refuse(Replies.badAddress) }
        if mailbox.domain.name.isEmpty {
            guard role(of: mailbox) != nil else { return .refuse(Replies.badAddress) }
            return .accept(.role, mailbox: postmaster)
        }
        if let directory = domains.value(for: mailbox.domain) {
            return ownDecision(recipient, directory: directory, client: client)
        }
        if isOwnHost(mailbox.domain) {
            guard let reader = role(of: mailbox), AddressTrick.find(in: recipient.rawPath).isHarmlessHere
            else {
                return .refuse(Replies.noSuchRecipient)
            }
            return .accept(.role, mailbox: reader)
        }
        return foreignDecision(recipient, sender: sender, client: client)
    }

    /// A recipient in one of our domains.
    private func ownDecision(
        _ recipient: RecipientCommand, directory: RecipientDirectory, client: ClientStanding
    ) -> RecipientDecision {
        let mailbox = recipient.mailbox
        let match: RecipientSet.Match? =
            if case .listed(let set) = directory { set.match(mailbox.localPart) } else { nil }
        // Who plainly exists is taken however strange the name; a source route is not plain.
        let isPlainMatch = match == .exact && recipient.rawPath.first != 0x40
        let right = right(of: client)
        if right == nil && !isPlainMatch && AddressTrick.find(in: recipient.rawPath) != nil {
            return .refuse(Replies.relayDenied)
        }
        if case .refuse(let reply)? = routes.configuredRoute(for: mailbox.domain) { return .refuse(reply) }
        if match == RecipientSet.Match.none {
            guard let reader = role(of: mailbox) else { return .refuse(Replies.noSuchRecipient) }
            return .accept(.role, mailbox: reader)
        }
        return .accept(right ?? .destination, mailbox: mailbox)
    }

    /// A recipient elsewhere: only for those who have a right.
    private func foreignDecision(
        _ recipient: RecipientCommand, sender: ReversePath, client: ClientStanding
    ) -> RecipientDecision {
        let mailbox = recipient.mailbox
        if let right = right(of: client) {
            return unroutable(mailbox.domain).map(RecipientDecision.refuse)
                ?? .accept(right, mailbox: mailbox)
        }
        guard let shared = sharedRight(of: client, sender: sender),
            AddressTrick.find(in: recipient.rawPath) == nil
        else {
            return .refuse(Replies.relayDenied)
        }
        return unroutable(mailbox.domain).map(RecipientDecision.refuse)
            ?? .acceptProvisionally(shared, mailbox: mailbox)
    }

    /// The refusal that awaits everybody who sends there, whatever his rights.
    private func unroutable(_ domain: Domain) -> Reply? {
        if let route = routes.configuredRoute(for: domain) {
            if case .refuse(let reply) = route { return reply }
            return nil
        }
        if case .refuse(let reply) = routes.defaultRoute { return reply }
        guard case .mx = routes.defaultRoute, !domain.isLiteral else { return nil }
        // DNS cannot lead a single label or `127.0.0.1` without brackets anywhere.
        guard let dot = domain.name.utf8.lastIndex(of: 0x2E) else { return Replies.badDomain }
        let top = domain.name.utf8[dot...].dropFirst()
        let isNumber = top.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        return isNumber || domain.aLabel == nil ? Replies.badDomain : nil
    }

    private func isOwnHost(_ domain: Domain) -> Bool {
        if domain == hostname { return true }
        guard domain.isLiteral, let address = domain.literalAddress else { return false }
        return ownAddresses.contains(address)
    }

    /// Who reads a role address, or nil for an ordinary one.
    private func role(of mailbox: Mailbox) -> Mailbox? {
        switch RecipientSet.canonical(mailbox.localPart) {
        case "postmaster": postmaster
        case "abuse": mailbox.domain.name.isEmpty ? nil : abuse
        default: nil
        }
    }

    private static func plainFingerprint(_ text: String) -> String {
        Domain(text.filter { $0 != ":" }).name
    }

    // MARK: End of data

    private func sharedRight(of client: ClientStanding, sender: ReversePath) -> SharedRight? {
        guard !sharedNetworks.isEmpty, let domain = sender.mailbox?.domain else { return nil }
        let candidates = sharedNetworks.filter {
            $0.networks.contains(client.address) && $0.senderDomains.contains(domain)
        }
        return candidates.isEmpty ? nil : SharedRight(candidates: candidates)
    }

    /// Whether the content keeps what a provisional right promised. nil: it does.
    ///
    /// `authorDomains` are the domains of all authors in all From fields; `header` gives the values of every
    /// field of a name, unfolded. A field that stands twice must say the same twice: the second one could be
    /// the provider's, and the first one the stranger's.
    package func contentDecision(
        _ provisional: SharedRight, authorDomains: [Domain], header: (String) -> [String]
    ) -> Reply? {
        let isProved = provisional.candidates.contains { network in
            guard !authorDomains.isEmpty, authorDomains.allSatisfy(network.authorDomains.contains) else {
                return false
            }
            let values = header(network.headerName)
            let wanted = Self.comparable(network.headerValue)
            return !wanted.isEmpty && !values.isEmpty && values.allSatisfy { Self.comparable($0) == wanted }
        }
        return isProved ? nil : Replies.relayDenied
    }

    private static func comparable(_ value: String) -> [UInt8] {
        var octets = value.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }[...]
        func isBlank(_ octet: UInt8) -> Bool {
            octet == 0x20 || octet == 0x09 || octet == 0x0D || octet == 0x0A
        }
        octets = octets.drop(while: isBlank)
        while let last = octets.last, isBlank(last) { octets = octets.dropLast() }
        return Array(octets)
    }

    /// What clients hear; one text for each reason, so that it tells nothing about others.
    package enum Replies {
        package static let relayDenied = Reply(550, EnhancedStatus(5, 7, 1), "Relay access denied")
        package static let noSuchRecipient = Reply(550, EnhancedStatus(5, 1, 1), "No such recipient here")
        package static let badDomain = Reply(550, EnhancedStatus(5, 1, 2), "No such domain")
        package static let badAddress = Reply(553, EnhancedStatus(5, 1, 3), "Bad recipient address")
        package static let notYourAddress = Reply(
            553, EnhancedStatus(5, 7, 1), "Sender address not owned by this account")
        package static let notYourName = Reply(
            550, EnhancedStatus(5, 7, 1), "From does not name this account")
        package static let authenticationRequired = Reply(
            530, EnhancedStatus(5, 7, 0), "Authentication required")
        package static let notInside = Reply(550, EnhancedStatus(5, 7, 1), "Not for this network")
    }
}

extension AddressTrick? {
    /// Our own literal is the one form that names us rightly.
    fileprivate var isHarmlessHere: Bool { self == nil || self == .literal }
}
