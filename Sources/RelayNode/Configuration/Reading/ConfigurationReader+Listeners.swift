import Intake
import MailValues
import RoutingPolicy
import SMTPProtocol
import Yams

extension ConfigurationReader {
    func readListeners(_ top: Section, into configuration: inout Configuration) {
        let sections = top.sections("listeners")
        if sections.isEmpty {
            problems.error(at: top.place(of: "listeners"), "`listeners` is empty: no mail could come in")
        }
        var names: Set<String> = []
        var ports = otherPorts(configuration)
        for section in sections {
            guard let listener = readListener(section, configuration) else { continue }
            if !names.insert(listener.name).inserted {
                problems.error(at: section.place(of: "name"), "two listeners are called `\(listener.name)`")
            }
            for endpoint in listener.endpoints {
                judgeAddress(endpoint.address, "address", section)
                judgePort(
                    endpoint, of: "the listener `\(listener.name)`", at: section.place(of: "address"), &ports)
            }
            judge(listener, section, configuration)
            configuration.listeners.append(listener)
        }
    }

    private func readListener(_ section: Section, _ configuration: Configuration) -> ListenerConfiguration? {
        let kind = section.required(
            "kind", .kind, why: "`mx` for strangers, `submission` for accounts, `inside` for own networks")
        let name = section.value("name", .shortName) ?? kind?.rawValue
        let endpoints = section.values("address", .endpoint())
        if !section.has("address") {
            problems.error(
                at: section.place,
                "\(section.display("address")) is missing: where to listen, such as 127.0.0.1:25")
        }
        var listener = ListenerConfiguration(
            name: name ?? "", endpoints: endpoints, kind: kind ?? .mx, limits: configuration.intake.limits)
        if configuration.tls.certificates.isEmpty { listener.tls = .none }
        section.read(
            "tls", .words(["none": .none, "starttls": .startTLS, "implicit": .implicit]), into: &listener.tls)
        listener.requiresTLS =
            listener.tls == .implicit || listener.kind == .submission && listener.tls == .startTLS
        section.read("require-tls", .flag, into: &listener.requiresTLS)
        section.read("min-tls", .choice, into: &listener.oldestTLS)
        section.read("authentication", .flag, into: &listener.offersAuthentication)
        section.read("allow-clear-authentication", .flag, into: &listener.allowsClearAuthentication)
        // Only where an answer could mean something: some clients present a certificate that they cannot use.
        let relay = configuration.relay
        if relay.certificateFingerprints.isEmpty, relay.certificateNames.isEmpty {
            listener.asksClientCertificate = false
        }
        section.read("client-certificates", .flag, into: &listener.asksClientCertificate)
        listener.proxyPeers = readPeers("proxy-protocol-from", section)
        listener.xclientPeers = readPeers("xclient-from", section)
        section.read("dsn", .flag, into: &listener.offersDSN)
        section.read("authors", .choice, into: &listener.authors)
        section.read(
            "line-endings", .words(["repair": .repair, "refuse": .refuse]), into: &listener.lineEnds)
        section.read(
            "early-talkers", .words(["refuse": .refuse, "allow": .allow]), into: &listener.earlyTalkers)
        section.read("reverse-lookup", .flag, into: &listener.looksUpNames)
        section.read("hold", .flag, into: &listener.holdsMessages)
        section.read("reputation", .choice, into: &listener.reputation)
        section.read("verdicts", .choice, into: &listener.verdicts)
        section.read("greeting", .greeting, into: &listener.greeting)
        let limits = section.section("limits")
        readSessionLimits(limits, into: &listener.limits)
        limits.finish()
        section.finish()
        return kind != nil && name != nil ? listener : nil
    }

    /// Peers that may tell us another client address than their own.
    private func readPeers(_ name: String, _ section: Section) -> NetworkSet {
        let peers = section.list(name, .network)
        for (network, place) in peers where network.prefixLength == 0 {
            problems.warning(
                at: place, "\(section.display(name)) holds the whole world: any peer may claim any address")
        }
        return NetworkSet(peers.map(\.value))
    }

    /// What is unsafe is refused where no one needs it, and told where somebody might.
    private func judge(_ listener: ListenerConfiguration, _ section: Section, _ configuration: Configuration)
    {
        let hasCertificate = !configuration.tls.certificates.isEmpty
        if listener.tls != .none, !hasCertificate {
            problems.error(
                at: section.place(of: "tls"),
                "\(section.display("tls")) needs a certificate: see `tls.certificates`")
        }
        if listener.tls == .none, listener.requiresTLS {
            problems.error(
                at: section.place(of: "require-tls"),
                "\(section.display("require-tls")) cannot be with `tls: none`")
        }
        if listener.tls == .none, listener.kind == .mx {
            problems.warning(
                at: section.place, "the listener `\(listener.name)` offers no TLS: mail comes in clear")
        }
        if listener.oldestTLS == .v10 {
            judgeWeakness("min-tls", "TLS 1.0", listener, section, configuration)
        }
        if listener.allowsClearAuthentication {
            judgeWeakness(
                "allow-clear-authentication", "passwords in clear", listener, section, configuration)
        }
        if listener.offersAuthentication, configuration.authentication.accountsFile == nil {
            problems.warning(
                at: section.place(of: "authentication"),
                "the listener `\(listener.name)` offers AUTH, but there are no accounts: see `authentication.accounts`"
            )
        }
        if listener.offersAuthentication, listener.tls == .none, !listener.allowsClearAuthentication {
            problems.warning(
                at: section.place, "the listener `\(listener.name)` has no TLS, so nobody can log in")
        }
    }

    private func judgeWeakness(
        _ name: String, _ what: String, _ listener: ListenerConfiguration, _ section: Section,
        _ configuration: Configuration
    ) {
        let place = section.place(of: name)
        guard listener.kind == .inside, !configuration.relay.networks.isEmpty else {
            problems.error(
                at: place,
                "\(section.display(name)): \(what) only on a listener of kind `inside`, and with `relay.networks` listed"
            )
            return
        }
        problems.warning(at: place, "the listener `\(listener.name)` allows \(what)")
    }
}

extension SettingKind where Value == ClientStanding.ListenerKind {
    fileprivate static var kind: SettingKind { .choice }
}

extension SettingKind where Value == String {
    /// What stands behind our name in the greeting.
    fileprivate static var greeting: SettingKind {
        SettingKind("at most 128 printable ASCII characters that contain ESMTP") { text in
            text.utf8.count <= 128 && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
                && text.contains("ESMTP") ? text : nil
        }
    }
}
