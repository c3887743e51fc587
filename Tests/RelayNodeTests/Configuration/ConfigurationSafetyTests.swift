import MailValues
import RelayNode
import Testing

@Suite("Unsafe configurations")
struct ConfigurationSafetyTests {
    private static let start = """
        hostname: mx.example.org
        postmaster: postmaster@example.org
        tls: {certificates: [{certificate: a.crt, key: a.key}]}

        """

    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        /// A part of the only problem there is; nil: there is none.
        let problem: String?
        var testDescription: String { text.debugDescription }

        init(_ text: String, _ problem: String?) {
            self.text = start + text
            self.problem = problem
        }
    }

    @Test(
        "what weakens security is refused or told",
        arguments: [
            Case("listeners: [{kind: mx, address: 127.0.0.1:25}]", nil),
            Case(
                "listeners: [{kind: mx, address: 127.0.0.1:25, tls: none}]",
                "warning: the listener `mx` offers no TLS"),
            Case(
                "listeners: [{kind: mx, address: 127.0.0.1:25, min-tls: 1.0}]",
                "error: `listeners[0].min-tls`: TLS 1.0 only on"),
            Case(
                "listeners: [{kind: inside, address: 127.0.0.1:25, min-tls: 1.0}]",
                "with `relay.networks` listed"),
            Case(
                "relay: {networks: [10.0.0.0/8]}\nlisteners: [{kind: inside, address: 127.0.0.1:25, min-tls: 1.0}]",
                "warning: the listener `inside` allows TLS 1.0"),
            Case(
                "relay: {networks: [10.0.0.0/8]}\nlisteners: [{kind: inside, address: 127.0.0.1:25, allow-clear-authentication: true}]",
                "warning: the listener `inside` allows passwords in clear"),
            Case(
                "listeners: [{kind: mx, address: 127.0.0.1:25, allow-clear-authentication: yes}]", "error: "),
            Case(
                "listeners: [{kind: submission, address: 127.0.0.1:25}]",
                "warning: the listener `submission` offers AUTH, but"),
            Case(
                "authentication: {accounts: a}\nlisteners: [{kind: submission, address: 127.0.0.1:25, tls: none}]",
                "warning: the listener `submission` has no TLS, so nobody can log in"),
            Case(
                "listeners: [{kind: inside, address: 127.0.0.1:25, tls: none, require-tls: true}]",
                "cannot be with `tls: none`"),
            Case(
                "listeners: [{kind: mx, address: 127.0.0.1:25, proxy-protocol-from: 0.0.0.0/0}]",
                "warning: `listeners[0].proxy-protocol-from` holds the whole world"),
            Case(
                "listeners: [{kind: mx, address: 127.0.0.1:25}, {kind: mx, address: 127.0.0.1:26}]",
                "two listeners are called `mx`"),
            Case(
                "listeners: [{kind: mx, address: 127.0.0.1:25}, {kind: inside, address: 127.0.0.1:25}]",
                "error: the listener `inside` wants 127.0.0.1:25, which the listener `mx` has: 127.0.0.1:25"),
            Case(
                "listeners: [{kind: mx, address: 0.0.0.0:25}, {kind: inside, address: 127.0.0.1:25}]",
                "error: the listener `inside` wants 127.0.0.1:25, which the listener `mx` has: 0.0.0.0:25"),
            Case(
                "listeners: [{kind: mx, address: [127.0.0.1:25, \"[::]:25\"]}]", nil),
            Case(
                "cluster: {address: 127.0.0.1, port: 7000}\nlisteners: [{kind: mx, address: 0.0.0.0:7004}]",
                "error: the listener `mx` wants 0.0.0.0:7004, which `cluster.port` with the four above it has"
            ),
            Case(
                "cluster: {address: 127.0.0.1, port: 7000}\nlisteners: [{kind: mx, address: 127.0.0.1:7005}]",
                nil),
            Case(
                "cluster: {address: 192.0.2.1, port: 7000}\nlisteners: [{kind: mx, address: 127.0.0.1:7000}]",
                nil),
            Case(
                "listeners: [{kind: mx, address: 0.0.0.0:7948}]",
                "warning: the listener `mx` wants 0.0.0.0:7948, which `cluster.port`"),
            Case("listeners: [{kind: mx, address: 127.0.0.1:7948}]", nil),
            Case(
                "admin: {metrics: 127.0.0.1:9125}\ncluster: {address: 127.0.0.1, port: 9123}\n"
                    + "listeners: [{kind: mx, address: 127.0.0.1:25}]",
                "4:18: error: `admin.metrics` wants 127.0.0.1:9125, which `cluster.port`"),
            Case(
                "admin: {metrics: 127.0.0.1:9125}\nlisteners: [{kind: mx, address: 127.0.0.1:9125}]",
                "error: the listener `mx` wants 127.0.0.1:9125, which `admin.metrics` has"),
            Case(
                "listeners: [{kind: mx, address: 224.0.0.1:25}]",
                "error: `listeners[0].address`: 224.0.0.1 is a multicast address"),
            Case(
                "listeners: [{kind: mx, address: \"[ff02::1]:25\"}]",
                "error: `listeners[0].address`: ff02::1 is a multicast address"),
            Case(
                "cluster: {address: 239.1.2.3}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "4:20: error: `cluster.address`: 239.1.2.3 is a multicast address"),
            Case(
                "cluster: {address: 255.255.255.255}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "error: `cluster.address`: 255.255.255.255 is the broadcast address"),
            Case(
                "admin: {metrics: 224.0.0.1:9125}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "error: `admin.metrics`: 224.0.0.1 is a multicast address"),
            Case(
                "relay: {networks: [0.0.0.0/0]}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "warning: anybody in 0.0.0.0/0"),
            Case(
                "relay: {networks: [\"::/0\"]}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "warning: anybody in ::/0"),
            Case(
                "relay: {domains: {a.example: {recipients: any}}}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "warning: `relay.domains.a.example.recipients`: `any` takes mail"),
            Case(
                "dns: {trust-anchor: none}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "DNS answers are not validated"),
            Case(
                "credentials: {c: {user: u, password-file: p}}\nroutes: {default: {smarthost: a.example:25, credentials: c}}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "no certificate is checked"),
            Case(
                "credentials: {cred: {user: u, password-file: p}}\nroutes: {default: {smarthost: a.example:25, tls: verify, credentials: crd}}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "there is no `credentials.crd`; did you mean `cred`?"),
            Case(
                "admin: {metrics: 0.0.0.0:9125}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "open on all addresses"),
            Case(
                "relay: {client-certificates: {names: [a.example]}}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]",
                "needs `tls.client-authorities`"),
        ])
    func judges(_ sample: Case) {
        let problems = ConfigurationFixture.problems(sample.text)
        guard let expected = sample.problem else {
            #expect(problems == [])
            return
        }
        #expect(problems.count == 1)
        #expect(problems.first?.contains(expected) == true, "\(problems)")
    }

    @Test(
        "a shared network without all of its conditions is refused",
        arguments: ["networks", "mail-from-domains", "from-domains", "header", "name"])
    func sharedNetworkNeedsAll(_ left: String) {
        let conditions = [
            "name": "cloud", "networks": "[192.0.2.0/24]", "mail-from-domains": "[example.org]",
            "from-domains": "[example.org]", "header": "{name: X-Org, value: example.org}",
        ]
        func text(without left: String?) -> String {
            let items = conditions.filter { $0.key != left }.map { "\($0.key): \($0.value)" }.joined(
                separator: ", ")
            return Self.start
                + "relay: {shared-networks: [{\(items)}]}\nlisteners: [{kind: mx, address: 127.0.0.1:25}]"
        }
        #expect(ConfigurationFixture.problems(text(without: nil)) == [])
        let problems = ConfigurationFixture.problems(text(without: left))
        #expect(problems.count == 1 && problems[0].contains("`relay.shared-networks[0].\(left)` is missing"))
    }

    @Test(
        "a secret that others may read is refused, whatever the bit",
        arguments: [UInt32(0o604), 0o640, 0o660, 0o602, 0o620, 0o777, 0o601])
    func refusesOpenSecrets(_ mode: UInt32) {
        let text =
            Self.start + """
                authentication: {accounts: accounts}
                credentials: {c: {user: u, password-file: password}}
                listeners: [{kind: mx, address: 127.0.0.1:25}]
                """
        for name in ["a.key", "accounts", "password"] {
            let files = ConfigurationFixture.files(modes: ["/etc/chappe/\(name)": mode])
            let problems = ConfigurationFixture.problems(text, files: files)
            #expect(problems.count == 1 && problems[0].contains("chmod 600 /etc/chappe/\(name)"))
        }
        for fine: UInt32 in [0o600, 0o400] {
            let files = ConfigurationFixture.files(modes: ["/etc/chappe/a.key": fine])
            #expect(ConfigurationFixture.problems(text, files: files) == [])
        }
    }

    @Test("a missing trust anchor is a loud warning, a missing certificate an error")
    func missingFiles() {
        let text = Self.start + "listeners: [{kind: mx, address: 127.0.0.1:25}]"
        let anchor = ConfigurationFixture.problems(
            text, files: ConfigurationFixture.files(missing: ["/usr/share/dns/root.key"]))
        #expect(anchor.count == 1 && anchor[0].contains("warning: there is no trust anchor"))
        let key = ConfigurationFixture.problems(
            text, files: ConfigurationFixture.files(missing: ["/etc/chappe/a.key"]))
        #expect(key.contains { $0.contains("error: `tls.certificates[0].key`: there is no file") })
    }
}
