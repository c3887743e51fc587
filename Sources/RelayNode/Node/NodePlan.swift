import Cryptography
import DNSRecords
import DNSResolution
import Delivery
import Intake
import MailValues
import MessageFormat
import QueueEngine
import QueueStorage
import RoutingPolicy
import SMTPProtocol
import SMTPTransport

/// Everything that a configuration means for the parts, worked out before any part is touched.
///
/// A reload makes a new plan first; only a whole one is put in force, so it applies wholly or not at all.
struct NodePlan: Sendable {
    struct Listener: Sendable {
        var configuration: ListenerConfiguration
        var session: SessionSettings
        var tls: TLSServerContext?
    }

    var configuration: Configuration
    var listeners: [Listener]
    var intake: IntakePolicy
    var delivery: DeliverySettings
    var accounts: AccountTable
    var clientTLS: TLSClientContext

    /// What is doubtful in the files that the configuration names.
    let warnings: [ConfigurationProblem]

    /// - Parameter path: where the configuration stands; each problem of the error has its place there.
    init(_ configuration: Configuration, path: String) throws(ConfigurationError) {
        let reader = PlanReader(configuration: configuration)
        reader.judgeUser()
        reader.judgeAdminGroup()
        let accounts = Self.accounts(reader)
        let listeners = Self.listeners(reader)
        let delivery = Self.delivery(reader)
        let clientTLS = Self.clientTLS(reader)
        guard !reader.problems.hasErrors, let clientTLS else {
            throw ConfigurationError(path: path, problems: reader.problems.inOrder)
        }
        self.configuration = configuration
        self.listeners = listeners
        intake = Self.intake(configuration, accounts)
        self.delivery = delivery
        self.accounts = AccountTable(accounts, certificates: Self.certificateAccounts(configuration))
        self.clientTLS = clientTLS
        warnings = reader.problems.inOrder
    }

    /// Reads the file and all that it names, as we may; no plan: `problems` says why.
    static func examine(path: String) -> (plan: NodePlan?, problems: [ConfigurationProblem]) {
        let configuration: Configuration
        do { configuration = try Configuration.load(path: path) } catch { return (nil, error.problems) }
        do throws(ConfigurationError) {
            let plan = try NodePlan(configuration, path: path)
            return (plan, inOrder(configuration.warnings + plan.warnings))
        } catch {
            return (nil, inOrder(configuration.warnings + error.problems))
        }
    }

    /// As they stand in the file.
    private static func inOrder(_ problems: [ConfigurationProblem]) -> [ConfigurationProblem] {
        problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
    }

    // MARK: Accounts

    private static func accounts(_ reader: PlanReader) -> [Account] {
        guard let path = reader.configuration.authentication.accountsFile else { return [] }
        return reader.take("authentication.accounts", file: path) { try AccountStore(path: path).load() }
            ?? []
    }

    /// AUTH EXTERNAL for certificates that may relay anyhow: the account bears the certificate's name, and
    /// may send as anybody, as that certificate may without AUTH.
    private static func certificateAccounts(_ configuration: Configuration) -> CertificateAccounts {
        var accounts = CertificateAccounts()
        for fingerprint in configuration.relay.certificateFingerprints {
            let plain = fingerprint.filter { $0 != ":" }.lowercased()
            accounts.byFingerprint[plain] = "certificate:\(plain)"
        }
        for name in configuration.relay.certificateNames { accounts.byName[name] = "certificate:\(name)" }
        return accounts
    }

    // MARK: Listeners

    private static func listeners(_ reader: PlanReader) -> [Listener] {
        let configuration = reader.configuration
        let identities = reader.identities(now: WallClock.now())
        var authorities: [UInt8]?
        if let file = configuration.tls.clientAuthoritiesFile {
            authorities = reader.take("tls.client-authorities", file: file) { try Self.authorities(file) }
        }
        // What is wrong so far would be wrong at each of them once more.
        guard !reader.problems.hasErrors else { return [] }
        return configuration.listeners.enumerated().compactMap { number, each in
            reader.take("listeners[\(number)]") {
                let tls = each.tls == .none ? nil : try serverTLS(each, identities, authorities)
                return Listener(configuration: each, session: session(each, configuration), tls: tls)
            }
        }
    }

    private static func session(
        _ listener: ListenerConfiguration, _ configuration: Configuration
    ) -> SessionSettings {
        var options = SessionOptions(hostname: configuration.hostname)
        options.greetingText = listener.greeting
        options.tls = listener.tls
        options.requiresTLS = listener.requiresTLS
        options.allowsClearAuthentication = listener.allowsClearAuthentication
        options.lineEnds = listener.lineEnds
        options.earlyTalkers = listener.earlyTalkers
        options.xclientPeers = listener.xclientPeers
        options.limits = listener.limits
        if listener.offersAuthentication {
            options.authenticationMechanisms = configuration.authentication.mechanisms
        }
        if !listener.offersDSN { options.withheldExtensions.insert("DSN") }
        return SessionSettings(options)
    }

    private static func serverTLS(
        _ listener: ListenerConfiguration, _ identities: [TLSIdentity], _ authorities: [UInt8]?
    ) throws -> TLSServerContext? {
        guard !identities.isEmpty else { return nil }
        var settings = TLSServerSettings(identities: identities)
        settings.oldestVersion =
            switch listener.oldestTLS {
            case .v10: .v10
            case .v12: .v12
            case .v13: .v13
            }
        if listener.asksClientCertificate { settings.clientCertificates = .asked(authorities: authorities) }
        return try TLSServerContext(settings: settings)
    }

    /// Certificates that may vouch for others, tried.
    private static func authorities(_ file: String) throws -> [UInt8] {
        let octets = try TextFile.read(file)
        _ = try TLSClientContext(settings: TLSClientSettings(authorities: .only(octets)))
        return octets
    }

    // MARK: Intake

    private static func intake(_ configuration: Configuration, _ accounts: [Account]) -> IntakePolicy {
        var relay = configuration.relay
        for account in accounts where !account.senders.isEmpty {
            relay.accounts[account.name.text] = SenderScope(account.senders)
        }
        let certificates = certificateAccounts(configuration)
        for account in Array(certificates.byFingerprint.values) + Array(certificates.byName.values) {
            relay.accounts[account] = .unlimited
        }
        var limits = SessionCensus.Limits()
        if let total = configuration.intake.sessionsTotal { limits.total = total }
        if let perNetwork = configuration.intake.sessionsPerNetwork { limits.perNetwork = perNetwork }
        var rules = HeaderRules(authenticationServiceIDs: [configuration.hostname.name])
        rules.limits.sectionOctets = configuration.intake.limits.headerOctets
        var listeners: [ListenerName: IntakePolicy.Listener] = [:]
        for listener in configuration.listeners {
            var policy = IntakePolicy.Listener(kind: listener.kind)
            policy.looksUpNames = listener.looksUpNames
            policy.xclientPeers = listener.xclientPeers
            policy.holdsMessages = listener.holdsMessages
            policy.authors = listener.authors
            policy.reputation = listener.reputation
            policy.verdicts = listener.verdicts
            listeners[listener.name] = policy
        }
        return IntakePolicy(
            hostname: configuration.hostname, postmaster: configuration.postmaster,
            relay: RelayPolicy(relay), listeners: listeners, headerRules: rules, sessionLimits: limits,
            slowing: configuration.gate.slowing, hopLimit: configuration.intake.hopLimit)
    }

    static func knowledge(_ configuration: Configuration) -> SharedKnowledge.Settings {
        var settings = SharedKnowledge.Settings()
        settings.follows = configuration.gate.follows
        settings.protected = NetworkSet(
            configuration.gate.protected
                ?? ["127.0.0.0/8", "::1"].compactMap { Network($0) } + configuration.relay.networks.all)
        return settings
    }

    // MARK: Delivery

    private static func delivery(_ reader: PlanReader) -> DeliverySettings {
        let configuration = reader.configuration
        let wished = configuration.delivery
        var settings = DeliverySettings(
            hostName: configuration.hostname, postmaster: configuration.postmaster
        ) {
            $0.isPubliclyDialable
        }
        if let hello = wished.helloName { settings.helloName = hello.name }
        settings.ownNames = Set(wished.ownNames.map(\.name))
        settings.ownAddresses = Set(wished.ownAddresses)
            .union(configuration.relay.ownAddresses)
            .union(
                InterfaceAddresses.reachable(at: configuration.listeners.flatMap(\.endpoints).map(\.address)))
        settings.sourceV4 = wished.sourceV4
        settings.sourceV6 = wished.sourceV6
        settings.addressFamilies =
            switch wished.addressFamilies {
            case .v4First: .v4First
            case .v6First: .v6First
            case .v4Only: .v4Only
            case .v6Only: .v6Only
            }
        settings.port = wished.port
        settings.routes = configuration.relay.routes
        for (name, wished) in configuration.credentials {
            let file = wished.passwordFile
            let password = reader.take("credentials.\(name).password-file", file: file) {
                try TextFile.readSecret(file)
            }
            if let password { settings.credentials[name] = .init(user: wished.user, password: password) }
        }
        settings.providers = ProviderRules(wished.providers.map { (suffix: $0.key, name: $0.value) })
        settings.retry = wished.retry
        settings.limits = wished.concurrency
        settings.eightBit = rule(wished.eightBit)
        settings.eightBitByDomain = wished.eightBitByDomain.mapValues(rule)
        settings.doubleBounceRecipient = wished.doubleBounceRecipient
        settings.reportLimits.fullReturnOctets = wished.fullReturnOctets
        return settings
    }

    private static func rule(_ rule: DeliveryConfiguration.EightBitRule) -> DeliverySettings.EightBitRule {
        switch rule {
        case .asItIs: .asItIs
        case .bounce: .bounce
        }
    }

    private static func clientTLS(_ reader: PlanReader) -> TLSClientContext? {
        let file = reader.configuration.tls.serverAuthoritiesFile
        return reader.take("tls.server-authorities", file: file) {
            var settings = TLSClientSettings()
            if let file { settings.authorities = .only(try TextFile.read(file)) }
            return try TLSClientContext(settings: settings)
        }
    }

    // MARK: What is fixed at start

    static func resolver(_ configuration: DNSConfiguration) -> ResolverSettings {
        func server(_ endpoint: SocketEndpoint) -> ResolverSettings.Server {
            ResolverSettings.Server(endpoint.address, port: endpoint.port)
        }
        var settings = ResolverSettings()
        if !configuration.forwarders.isEmpty {
            settings.mode = .forward(configuration.forwarders.map(server))
        }
        settings.stubZones = configuration.stubZones.map {
            ResolverSettings.StubZone(name: $0.key.name, servers: $0.value.map(server))
        }
        for (name, addresses) in configuration.hosts {
            for address in addresses { settings.hosts.insert(name.name, address) }
        }
        settings.trustAnchor = configuration.trustAnchorFile.map { .file($0) } ?? .none
        if let limit = configuration.lookupsInFlight { settings.limits.promptLookups = limit }
        return settings
    }

    static func store(_ configuration: QueueConfiguration) -> StoreOptions {
        var options = StoreOptions()
        if let octets = configuration.ledgerOctets { options.ledgerOctets = octets }
        if let age = configuration.ledgerAge { options.ledgerAge = age }
        if let octets = configuration.logOctets { options.logOctetsLargest = octets }
        if let octets = configuration.contentBufferOctets { options.contentBufferOctets = octets }
        if let octets = configuration.blockCacheOctets { options.blockCacheOctets = octets }
        return options
    }
}
