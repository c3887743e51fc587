import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import Testing

@testable import RelayNode

@Suite("Example configuration")
struct ConfigurationExampleTests {
    /// `ops/config/chappe.yaml`, found from here.
    private static let path: String = {
        let parts = #filePath.split(separator: "/")
        return "/" + (parts.dropLast(4) + ["ops", "config", "chappe.yaml"]).joined(separator: "/")
    }()

    private static let files = ConfigurationFixture.files(
        contents: ["/etc/chappe/recipients/lists.example.org": "news\nstaff@lists.example.org\n"])

    private static func text() throws -> String {
        let octets = try #require(ConfigurationFiles.system.read(path, 1 << 20))
        return String(decoding: octets, as: UTF8.self)
    }

    private static func example() throws -> Configuration {
        try ConfigurationFixture.parse(text(), files: files)
    }

    @Test("it can be used without a warning")
    func loads() throws {
        let example = try Self.example()
        #expect(example.warnings == [])
        #expect(example.listeners.map(\.name) == ["mx", "submission", "submissions", "inside"])
        #expect(example.relay.relayDomains.map(\.pattern) == ["example.org", "lists.example.org"])
        #expect(example.relay.relayDomains[1].recipients == .listed(RecipientSet(["news", "staff"])))
        #expect(
            example.relay.routes.route(for: Domain("lists.example.org"))
                == .lmtp(SmarthostRoute(hosts: [HostPort(host: "127.0.0.1", port: 24)])))
    }

    @Test("what it calls defaults are the defaults")
    func showsDefaults() throws {
        let example = try Self.example()
        #expect(example.intake.limits == IntakeConfiguration().limits)
        #expect(example.intake.octetsInFlight == IntakeConfiguration().octetsInFlight)
        #expect(example.intake.hopLimit == IntakeConfiguration().hopLimit)
        #expect(example.gate == GateConfiguration())
        #expect(example.delivery.retry == RetrySchedule())
        #expect(example.delivery.concurrency == ConcurrencyLimits())
        var delivery = example.delivery
        delivery.providers = [:]
        #expect(delivery == DeliveryConfiguration())
        #expect(example.dns == DNSConfiguration())
        #expect(example.admin == AdminConfiguration())
        #expect(example.authentication.mechanisms == AuthenticationConfiguration().mechanisms)
        #expect(example.events.file == EventConfiguration().file)
        #expect(example.relay.routes.defaultRoute == .mx)
        #expect(example.relay.routes.defaultTLS == .may)
        let minimal = try ConfigurationFixture.parse(ConfigurationFixture.text())
        #expect(example.dataDirectory == minimal.dataDirectory)
        #expect(example.user == minimal.user && example.group == minimal.group)
        #expect(example.shutdownGrace == minimal.shutdownGrace)
        let (shown, bare) = (example.listeners[0], minimal.listeners[0])
        #expect(
            shown.tls == bare.tls && shown.requiresTLS == bare.requiresTLS
                && shown.oldestTLS == bare.oldestTLS)
        #expect(shown.offersAuthentication == bare.offersAuthentication && shown.offersDSN == bare.offersDSN)
        #expect(
            shown.asksClientCertificate == bare.asksClientCertificate
                && shown.looksUpNames == bare.looksUpNames)
        #expect(
            shown.lineEnds == bare.lineEnds && shown.earlyTalkers == bare.earlyTalkers
                && shown.greeting == bare.greeting)
    }

    /// The example with the settings switched on that it shows as off: `#name: value` is one, `# text` is
    /// prose.
    private static func textWithAll() throws -> String {
        try text().split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            let indent = line.prefix { $0 == " " }
            let rest = line.dropFirst(indent.count)
            let isProse = rest == "#" || rest.hasPrefix("# ") && !rest.hasPrefix("#  ")
            return rest.hasPrefix("#") && !isProse ? String(indent) + String(rest.dropFirst()) : String(line)
        }.joined(separator: "\n")
    }

    @Test("the settings that it shows as off can be switched on")
    func switchesOn() throws {
        let whole = try ConfigurationFixture.parse(Self.textWithAll(), files: Self.files)
        #expect(whole.warnings == [])
        #expect(whole.eventLoopCount == 4)
        #expect(whole.relay.sharedNetworks.map { $0.name } == ["office-cloud"])
        #expect(whole.credentials.keys.sorted() == ["partner"])
        #expect(whole.dns.hosts == [Domain("relay.corp.example"): [IPAddress("10.0.0.25")!]])
        let refusal = Reply(550, EnhancedStatus(5, 7, 1), "This domain has moved to new.example")
        #expect(whole.relay.routes.route(for: Domain("old.example")) == .refuse(refusal))
    }

    @Test("every setting stands in it")
    func showsAll() throws {
        let text = try Self.textWithAll()
        let problems = ProblemList()
        _ = try Configuration.parse(
            text, path: "", directory: "/etc/chappe", files: Self.files, problems: problems)
        #expect(problems.settings.count > 100)
        let shown = Set(
            text.split { "\n{,".contains($0) }.map { $0.drop { " -".contains($0) }.prefix { $0 != ":" } })
        let missing = problems.settings.filter { !shown.contains($0.split(separator: ".").last ?? "") }
        #expect(missing == [])
    }
}
