import MailValues
import RoutingPolicy
import Yams

extension ConfigurationReader {
    func readCredentials(_ section: Section, into credentials: inout [String: CredentialConfiguration]) {
        for (name, key, value) in section.freeEntries() {
            guard SettingKind.shortName.parse(name) != nil else {
                problems.error(
                    at: key, "`\(name.printable(limit: 80))`: expected \(SettingKind.shortName.expectation)")
                continue
            }
            let entry = Section(value, path: "credentials.\(name)", problems: problems)
            let user = entry.required("user", .text, why: "the name to log in with")
            let file = paths.secretFile(entry, "password-file")
            if !entry.has("password-file") {
                problems.error(
                    at: entry.place,
                    "\(entry.display("password-file")) is missing: a file that holds the password alone")
            }
            entry.finish()
            // Kept even if broken, so that routes that name it are not called wrong too.
            credentials[name] = CredentialConfiguration(user: user ?? "", passwordFile: file ?? "")
        }
    }

    func readRoutes(_ section: Section, into configuration: inout Configuration) {
        for (name, key, value) in section.freeEntries() {
            if name == "default" {
                if let route = route(value, name: "routes.default", configuration) {
                    configuration.relay.routes.defaultRoute = route
                }
                continue
            }
            guard let pattern = SettingKind.domainPattern.parse(name) else {
                problems.error(
                    at: key,
                    "`\(name.printable(limit: 80))`: expected `default` or \(SettingKind.domainPattern.expectation)"
                )
                continue
            }
            let domain = Domain(pattern.drop { $0 == "." })
            if !pattern.hasPrefix("."), configuration.relay.routes.configuredRoute(for: domain) != nil,
                configuration.relay.relayDomains.contains(where: { $0.pattern == pattern })
            {
                problems.warning(at: key, "`\(name)` has a route in `relay.domains` too; this one is used")
            }
            readRoute(value, name: "routes.\(name)", pattern: pattern, into: &configuration)
        }
    }

    func readRoute(_ node: Node, name: String, pattern: String, into configuration: inout Configuration) {
        guard let route = route(node, name: name, configuration) else { return }
        if !configuration.relay.routes.setRoute(route, for: pattern) {
            problems.error(at: node.place, "`\(pattern)` is no domain name")
        }
    }

    /// `mx`, or a section with one of `smarthost`, `lmtp` and `refuse`.
    private func route(_ node: Node, name: String, _ configuration: Configuration) -> Route? {
        if case .scalar(let word) = node {
            if word.string == "mx" { return .mx }
            problems.error(
                at: node.place,
                "`\(name)` expects `mx`, or one of `smarthost:`, `lmtp:` and `refuse:` below it, not `\(word.string.printable(limit: 80))`"
            )
            return nil
        }
        let section = Section(node, path: name, problems: problems)
        defer { section.finish() }
        let kinds = ["smarthost", "lmtp", "refuse"].filter { section.has($0) }
        guard kinds.count == 1, let kind = kinds.first else {
            problems.error(
                at: section.place,
                "`\(name)` expects one of `smarthost:`, `lmtp:` and `refuse:`, and has \(kinds.count)")
            return nil
        }
        if kind == "refuse" {
            return section.value("refuse", .refusal).map { .refuse(Reply(550, EnhancedStatus(5, 7, 1), $0)) }
        }
        guard let hosts = readHosts(section, kind, configuration) else { return nil }
        return kind == "lmtp" ? .lmtp(hosts) : .smarthost(hosts)
    }

    private func readHosts(
        _ section: Section, _ kind: String, _ configuration: Configuration
    ) -> SmarthostRoute? {
        let hosts = section.values(kind, .hostPort(defaultPort: kind == "lmtp" ? 24 : 25))
        var route = SmarthostRoute(hosts: hosts)
        section.read("shuffle", .flag, into: &route.isShuffled)
        section.read("tls", .choice, into: &route.tls)
        section.read("implicit-tls", .flag, into: &route.implicitTLS)
        section.read("credentials", .shortName, into: &route.credentials)
        if let name = route.credentials, configuration.credentials[name] == nil {
            let meant =
                NearestName.of(name, in: configuration.credentials.keys.sorted()).map {
                    "; did you mean `\($0)`?"
                } ?? ""
            problems.error(at: section.place(of: "credentials"), "there is no `credentials.\(name)`\(meant)")
        }
        if route.credentials != nil, let risk = Self.risk(ofPasswordUnder: route.tls) {
            problems.warning(at: section.place(of: "credentials"), "\(risk); say `tls: verify`")
        }
        if route.implicitTLS, route.tls == .none {
            problems.error(
                at: section.place(of: "implicit-tls"),
                "\(section.display("implicit-tls")) cannot be with `tls: none`")
        }
        return hosts.isEmpty ? nil : route
    }

    /// What may become of a password; it is never said in clear.
    private static func risk(ofPasswordUnder policy: RouteTLS) -> String? {
        switch policy {
        case .none: "without TLS only a host that offers SCRAM-SHA-256 can be logged in to"
        case .may, .require:
            "no certificate is checked, so whoever stands between can pass for the host and take the password"
        case .verify: nil
        }
    }
}

extension SettingKind where Value == HostPort {
    fileprivate static func hostPort(defaultPort: UInt16) -> SettingKind {
        SettingKind(
            "a host and port such as mail.example.org:\(defaultPort) or \"[2001:db8::1]:\(defaultPort)\""
        ) { text in
            guard let (host, port) = hostAndPort(text, defaultPort: defaultPort) else { return nil }
            if let address = IPAddress(host) { return HostPort(host: address.description, port: port) }
            return SettingKind<Domain>.domain.parse(host).map { HostPort(host: $0.name, port: port) }
        }
    }
}

extension SettingKind where Value == String {
    fileprivate static var refusal: SettingKind {
        SettingKind("the text of the refusal, at most 200 printable ASCII characters") { text in
            (1...200).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
                ? text : nil
        }
    }
}
