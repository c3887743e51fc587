import Foundation
import MailValues
import QueueEngine
import RelayNode
import RoutingPolicy
import SMTPProtocol
import Testing

@Suite("Values of a configuration")
struct ConfigurationValueTests {
    @Test("a small configuration means what it says")
    func reads() throws {
        let configuration = try ConfigurationFixture.parse(
            ConfigurationFixture.text(
                """
                limits: {message-size: 10MiB, command-timeout: 6m, transactions: 7}
                relay:
                  networks: [10.0.0.0/8, "2001:db8::/32"]
                  client-certificates:
                    fingerprints: ["AA:\(String(repeating: "bb", count: 31))"]
                  domains:
                    Example.ORG: {recipients: [Anna, bob@example.org], route: {smarthost: "[2001:db8::25]:2525", tls: require}}
                    .below.example: {recipients: any, route: mx}
                routes:
                  .partner.example: {smarthost: [a.partner.example:587, b.partner.example], shuffle: true, tls: verify, credentials: p}
                credentials: {p: {user: me, password-file: /secret}}
                delivery:
                  source-v4: 192.0.2.1
                  retry: {first: 1m30s, delay-notice: never}
                  tls: {strict.example: verify}
                  providers: {.Mail.Example: big}
                  double-bounces-to: postmaster@example.org
                dns: {forward: 127.0.0.1, stub-zones: {corp.example: ["10.0.0.53:5353"]}, lookups: 100}
                events: {file: none}
                """))
        #expect(configuration.intake.limits.messageOctets == 10 << 20)
        #expect(configuration.intake.limits.commandTimeout == .seconds(360))
        #expect(configuration.intake.limits.transactionCount == 7)
        #expect(configuration.relay.networks.contains(IPAddress("10.9.9.9")!))
        #expect(configuration.relay.networks.contains(IPAddress("2001:db8::1")!))
        #expect(!configuration.relay.networks.contains(IPAddress("11.0.0.1")!))
        #expect(configuration.relay.certificateFingerprints == ["aa" + String(repeating: "bb", count: 31)])
        #expect(configuration.relay.relayDomains.map(\.pattern) == ["example.org", ".below.example"])
        #expect(configuration.relay.relayDomains[0].recipients == .listed(RecipientSet(["Anna", "bob"])))
        let routes = configuration.relay.routes
        #expect(
            routes.route(for: Domain("example.org"))
                == .smarthost(
                    SmarthostRoute(hosts: [HostPort(host: "2001:db8::25", port: 2525)], tls: .require)))
        let partner = SmarthostRoute(
            hosts: [
                HostPort(host: "a.partner.example", port: 587), HostPort(host: "b.partner.example", port: 25),
            ],
            isShuffled: true, tls: .verify, credentials: "p")
        #expect(routes.route(for: Domain("x.partner.example")) == .smarthost(partner))
        #expect(routes.route(for: Domain("partner.example")) == .mx)
        #expect(routes.tls(for: Domain("strict.example")) == .verify)
        #expect(
            configuration.credentials == ["p": CredentialConfiguration(user: "me", passwordFile: "/secret")])
        #expect(configuration.delivery.retry.retryDelayFirst == .seconds(90))
        #expect(configuration.delivery.retry.delayNotice == nil)
        #expect(configuration.delivery.providers == ["mail.example": "big"])
        #expect(configuration.delivery.doubleBounceRecipient?.description == "postmaster@example.org")
        #expect(configuration.dns.forwarders == [SocketEndpoint(address: IPAddress("127.0.0.1")!, port: 53)])
        #expect(
            configuration.dns.stubZones[Domain("corp.example")] == [
                SocketEndpoint(address: IPAddress("10.0.0.53")!, port: 5353)
            ])
        #expect(configuration.events.file == nil)
        #expect(configuration.listeners[0].endpoints.map(\.description) == ["127.0.0.1:25"])
        #expect(configuration.listeners[0].limits.messageOctets == 10 << 20)
    }

    @Test("a listener's own limits change nothing elsewhere")
    func listenerLimits() throws {
        let configuration = try ConfigurationFixture.parse(
            """
            hostname: mx.example.org
            postmaster: postmaster@example.org
            limits: {errors: 7}
            listeners:
              - {kind: inside, address: "[::1]:2525", limits: {message-size: 1GiB}}
              - {kind: inside, name: other, address: 127.0.0.1:2525}
            """)
        #expect(configuration.listeners.map { $0.limits.messageOctets } == [1 << 30, 50 << 20])
        #expect(configuration.listeners.map { $0.limits.errorCount } == [7, 7])
        #expect(configuration.listeners[0].endpoints.map(\.description) == ["[::1]:2525"])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let length: Duration?
        var testDescription: String { text }
        init(_ text: String, _ length: Duration?) {
            self.text = text
            self.length = length
        }
    }

    @Test(
        "a duration has units, the larger first",
        arguments: [
            Case("30s", .seconds(30)), Case("5m", .seconds(300)), Case("1m30s", .seconds(90)),
            Case("500ms", .milliseconds(500)),
            Case("1h", .seconds(3600)), Case("0s", .zero), Case("30", nil), Case("s", nil), Case("1s1m", nil),
            Case("1m1m", nil),
            Case("-1s", nil), Case("1.5m", nil), Case("5 m", nil), Case("2h", nil),
            Case("99999999999999999999s", nil), Case("1w", nil),
            Case("1S", nil),
        ])
    func readsDurations(_ sample: Case) {
        let configuration = try? ConfigurationFixture.parse(
            ConfigurationFixture.text("shutdown: {grace: \(sample.text)}"))
        #expect(configuration?.shutdownGrace == sample.length)
    }

    @Test(
        "a listener's address is an address and a port",
        arguments: [
            ("0.0.0.0:25", true), ("[::]:25", true), ("[::ffff:192.0.2.1]:25", true), (":25", false),
            ("25", false),
            ("mx.example.org:25", false), ("127.0.0.1", false), ("127.0.0.1:0", false),
            ("127.0.0.1:65536", false),
            ("127.0.0.1:", false), ("::1:25", false), ("[::1]25", false), ("[127.0.0.1]:25", false),
            ("127.0.0.1:+5", false),
        ])
    func readsAddresses(_ text: String, isValid: Bool) {
        let whole = """
            hostname: mx.example.org
            postmaster: p@example.org
            listeners: [{kind: inside, address: "\(text)"}]
            """
        #expect(((try? ConfigurationFixture.parse(whole)) != nil) == isValid)
    }

    @Test("a file of recipients is read with its own line numbers")
    func readsRecipientFile() throws {
        let text = ConfigurationFixture.text("relay: {domains: {a.example: {recipients: {file: list}}}}\n")
        func files(_ list: String) -> ConfigurationFiles {
            ConfigurationFixture.files(contents: ["/etc/chappe/list": list])
        }
        let configuration = try ConfigurationFixture.parse(
            text, files: files("# ours\nanna\nbob@a.example\n"))
        #expect(configuration.relay.relayDomains[0].recipients == .listed(RecipientSet(["anna", "bob"])))
        let problems = ConfigurationFixture.problems(text, files: files("anna\nbob@b.example\n"))
        #expect(
            problems.count == 1
                && problems[0].contains("/etc/chappe/list, line 2: b.example is not a.example"))
    }

    @Test("a file is loaded with what it names beside it, and a secret is looked at as it really is")
    func loadsFile() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "chappe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String, mode: Int) throws {
            let file = folder.appending(path: name).path
            try Data(text.utf8).write(to: URL(filePath: file))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        }
        let path = folder.appending(path: "chappe.yaml").path
        try write(
            "chappe.yaml",
            """
            hostname: mx.example.org
            postmaster: p@example.org
            listeners: [{kind: inside, address: 127.0.0.1:2525}]
            credentials: {hub: {user: me, password-file: hub}}
            """, mode: 0o644)
        try write("hub", "secret words\n", mode: 0o600)
        let configuration = try Configuration.load(path: path)
        let file = try #require(configuration.credentials["hub"]?.passwordFile)
        #expect(ConfigurationFiles.system.secret(file) == "secret words")
        try write("hub", "secret words\n", mode: 0o640)
        #expect(throws: ConfigurationError.self) { try Configuration.load(path: path) }
    }

    @Test(
        "a path that cannot be read is an error that names it", arguments: ["/nonexistent/chappe.yaml", "/"])
    func unreadable(_ path: String) {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: path) }
        #expect(error?.description.hasPrefix("\(path):error: cannot be read") == true)
        #expect(ConfigurationFiles.system.read("/proc/self/status", 10) == nil)
    }
}
