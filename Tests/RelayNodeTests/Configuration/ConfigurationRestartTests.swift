import Testing

@testable import RelayNode

@Suite("What only a restart changes")
struct ConfigurationRestartTests {
    struct Case: CustomTestStringConvertible {
        /// Behind the settings that must be there.
        let text: String
        let names: [String]
        var testDescription: String { text }

        init(_ text: String, _ names: String...) {
            self.text = text
            self.names = names
        }
    }

    private static func parse(_ text: String) throws -> Configuration {
        try ConfigurationFixture.parse(
            """
            postmaster: postmaster@example.org
            tls: {certificates: [{certificate: a.crt, key: a.key}]}
            \(text.contains("hostname:") ? "" : "hostname: mx.example.org")
            \(text.contains("listeners:") ? "" : "listeners: [{kind: mx, address: \"127.0.0.1:25\"}]")
            \(text)

            """)
    }

    private static let listener = "{kind: mx, address: \"127.0.0.1:25\"}"

    @Test(
        "is told by the name of each setting, and nothing else is",
        arguments: [
            Case(""),
            Case("hostname: other.example.org"),
            Case("relay: {networks: [10.0.0.0/8]}"),
            Case("delivery: {concurrency: {per-site: 7}, retry: {first: 7m}}"),
            Case("limits: {drain-timeout: 7s}\nshutdown: {grace: 7s}"),
            Case("authentication: {mechanisms: [SCRAM-SHA-256-PLUS, PLAIN]}"),
            Case("listeners: [{kind: mx, address: \"127.0.0.1:25\", greeting: ESMTP hello}]"),
            Case("data-directory: /elsewhere", "data-directory"),
            Case("user: somebody\ngroup: staff", "user", "group"),
            Case("event-loops: 7", "event-loops"),
            Case("dns: {trust-anchor: none}", "dns"),
            Case("queue: {ledger-age: 7d}", "queue"),
            Case("admin: {metrics: \"127.0.0.1:9125\"}", "admin"),
            Case("cluster: {port: 7000}", "cluster"),
            Case("events: {file: none}", "events"),
            Case("limits: {octets-in-flight: 64MiB}", "limits.octets-in-flight"),
            Case("delivery: {connect-timeout: 7s}", "delivery.connect-timeout"),
            Case("authentication: {mechanisms: [PLAIN]}", "authentication.mechanisms"),
            Case(
                "delivery: {concurrency: {opening-probes: 7}}", "delivery.concurrency.opening-probes"),
            Case("listeners: [{kind: mx, address: \"127.0.0.1:26\"}]", "listeners[0].address"),
            Case("listeners: [{kind: mx, address: \"127.0.0.1:25\", tls: implicit}]", "listeners[0].tls"),
            Case(
                "listeners: [{kind: mx, address: \"127.0.0.1:25\", proxy-protocol-from: [10.0.0.1]}]",
                "listeners[0].proxy-protocol-from"),
            Case("listeners: [\(listener), {kind: inside, address: \"127.0.0.1:26\"}]", "listeners[1]"),
            Case("listeners: [{kind: inside, address: \"127.0.0.1:25\"}]", "listeners", "listeners[0]"),
        ])
    func settings(_ example: Case) throws {
        let new = try Self.parse(example.text)
        #expect(try new.settingsThatNeedRestart(since: Self.parse("")) == example.names)
        // Each can be shown in the file, be it by what it would stand in.
        for name in example.names { #expect(new.place(of: name) != .file, "\(name)") }
    }

    @Test("has the place of the setting, or of what it would stand in")
    func places() throws {
        let configuration = try Self.parse("admin:\n  group: staff")
        #expect(configuration.place(of: "admin.group") == Place(line: 6, column: 10))
        #expect(configuration.place(of: "admin.metrics") == Place(line: 6, column: 3))
        #expect(configuration.place(of: "tls.certificates[0].key") == Place(line: 2, column: 48))
        #expect(
            configuration.place(of: "tls.certificates[1].key") == configuration.place(of: "tls.certificates"))
        #expect(configuration.place(of: "dns") == .file)
        #expect(configuration.isGiven("admin.group") && !configuration.isGiven("admin.metrics"))
    }
}
