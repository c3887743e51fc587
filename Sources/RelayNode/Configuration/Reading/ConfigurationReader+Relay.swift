import MailValues
import RoutingPolicy
import Yams

extension ConfigurationReader {
    /// Octets of a file of recipients.
    private static let recipientFileOctets = 256 << 20

    func readRelay(_ section: Section, into configuration: inout Configuration) {
        readNetworks(section, into: &configuration.relay)
        for shared in section.sections("shared-networks") {
            readSharedNetwork(shared, into: &configuration.relay)
        }
        readCertificates(section, configuration.tls, into: &configuration.relay)
        section.read("abuse", .mailbox, into: &configuration.relay.abuse)
        let domains = section.section("domains")
        for (name, key, value) in domains.freeEntries() {
            readDomain(name, key, value, domains, into: &configuration)
        }
        configuration.relay.ownAddresses = Set(section.values("own-addresses", .address))
        section.finish()
    }

    private func readNetworks(_ section: Section, into relay: inout RelaySettings) {
        for (network, place) in section.list("networks", .network) {
            let bits = network.prefixLength
            // Longer than any block that one organisation has: more likely a slip, and the slip is an open
            // relay.
            if network.address.isV4 ? bits < 8 : bits < 19 {
                problems.warning(
                    at: place, "anybody in \(network) may relay to the whole world: that is an open relay")
            }
            relay.networks.insert(network)
        }
    }

    private func readSharedNetwork(_ section: Section, into relay: inout RelaySettings) {
        let why = "a shared network gives a right only together with all of its conditions"
        let name = section.required("name", .shortName, why: "what logs call it")
        let networks = section.list("networks", .network)
        let senders = section.values("mail-from-domains", .domain)
        let authors = section.values("from-domains", .domain)
        for required in ["networks", "mail-from-domains", "from-domains"] where !section.has(required) {
            problems.error(at: section.place, "\(section.display(required)) is missing: \(why)")
        }
        let header = section.section("header")
        if !section.has("header") {
            problems.error(at: section.place, "\(section.display("header")) is missing: \(why)")
        }
        let headerName = section.has("header") ? header.required("name", .headerName, why: why) : nil
        let headerValue = section.has("header") ? header.required("value", .text, why: why) : nil
        header.finish()
        for (network, place) in networks where relay.networks.contains(network.address) {
            problems.warning(at: place, "\(network) is in `relay.networks` too, where it needs no conditions")
        }
        section.finish()
        guard let name, let headerName, let headerValue else { return }
        relay.sharedNetworks.append(
            SharedNetwork(
                name: name, networks: NetworkSet(networks.map(\.value)), senderDomains: Set(senders),
                authorDomains: Set(authors), headerName: headerName, headerValue: headerValue))
    }

    private func readCertificates(
        _ section: Section, _ tls: TLSConfiguration, into relay: inout RelaySettings
    ) {
        let certificates = section.section("client-certificates")
        relay.certificateFingerprints = Set(certificates.values("fingerprints", .fingerprint))
        relay.certificateNames = Set(certificates.values("names", .text).map { $0.lowercased() })
        if !relay.certificateNames.isEmpty, tls.clientAuthoritiesFile == nil {
            problems.error(
                at: certificates.place(of: "names"),
                "`relay.client-certificates.names` needs `tls.client-authorities`: who may vouch for them")
        }
        certificates.finish()
    }

    private func readDomain(
        _ name: String, _ key: Place, _ value: Node, _ domains: Section,
        into configuration: inout Configuration
    ) {
        guard let pattern = SettingKind.domainPattern.parse(name) else {
            problems.error(at: key, "`\(name.printable(limit: 80))` is no domain name")
            return
        }
        if configuration.relay.relayDomains.contains(where: { $0.pattern == pattern }) {
            problems.error(at: key, "`\(pattern)` stands twice in `relay.domains`")
        }
        let section = Section(value, path: "relay.domains.\(name)", problems: problems)
        let recipients = readRecipients(section, pattern)
        if section.has("route"), let route = section.node("route") {
            readRoute(route, name: "relay.domains.\(name).route", pattern: pattern, into: &configuration)
        }
        section.finish()
        if let recipients {
            configuration.relay.relayDomains.append(RelayDomain(pattern, recipients: recipients))
        }
    }

    private func readRecipients(_ section: Section, _ pattern: String) -> RecipientDirectory? {
        guard let node = section.node("recipients") else {
            problems.error(
                at: section.place,
                "\(section.display("recipients")) is missing: a list, `file: …`, or `any` (which makes bounces)"
            )
            return nil
        }
        if case .scalar(let word) = node, word.string == "any" {
            problems.warning(
                at: node.place,
                "\(section.display("recipients")): `any` takes mail for nobody too, and bounces it to forged senders"
            )
            return .any
        }
        let domain = Domain(pattern.drop { $0 == "." })
        if case .mapping = node {
            let source = section.section("recipients")
            defer { source.finish() }
            let path = paths.file(source, "file")
            if !source.has("file") {
                problems.error(at: source.place, "\(source.display("file")) is missing")
            }
            return path.flatMap { readRecipientFile($0, domain, source) }
        }
        let listed = section.values("recipients", .recipient(of: domain))
        return .listed(RecipientSet(listed))
    }

    private func readRecipientFile(_ path: String, _ domain: Domain, _ source: Section) -> RecipientDirectory?
    {
        let place = source.place(of: "file")
        guard let octets = paths.files.read(path, Self.recipientFileOctets) else {
            problems.error(
                at: place, "\(path) cannot be read, or is longer than \(sizeText(Self.recipientFileOctets))")
            return nil
        }
        do {
            let list = try RecipientList(parsing: octets, domain: domain)
            if list.localParts.isEmpty { problems.warning(at: place, "\(path) names nobody") }
            return .listed(RecipientSet(list.localParts))
        } catch {
            problems.error(at: place, "\(path), line \(error.line): \(error.message)")
            return nil
        }
    }
}

extension SettingKind where Value == String {
    /// A local part, or an address of the domain; the result is the local part.
    fileprivate static func recipient(of domain: Domain) -> SettingKind {
        SettingKind("a recipient: `user` or `user@\(domain)`") { text in
            let address = text.utf8.contains(0x40) ? text : "\(text)@\(domain)"
            guard let mailbox = SettingKind<Mailbox>.mailbox.parse(address),
                mailbox.domain.aLabel == domain.aLabel
            else { return nil }
            return mailbox.localPart
        }
    }
}
