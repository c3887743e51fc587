import MailValues

extension ConfigurationReader {
    func readTLS(_ section: Section, into tls: inout TLSConfiguration) {
        for certificate in section.sections("certificates") {
            let file = paths.file(certificate, "certificate")
            if !certificate.has("certificate") {
                problems.error(
                    at: certificate.place, "\(certificate.display("certificate")) is missing: a PEM file")
            }
            let key = paths.secretFile(certificate, "key")
            if !certificate.has("key") {
                problems.error(at: certificate.place, "\(certificate.display("key")) is missing: a PEM file")
            }
            certificate.finish()
            // Kept even if broken, so that listeners are not told too that there is none.
            tls.certificates.append(.init(certificateFile: file ?? "", keyFile: key ?? ""))
        }
        tls.clientAuthoritiesFile = paths.file(section, "client-authorities")
        tls.serverAuthoritiesFile = paths.file(section, "server-authorities")
        section.finish()
    }

    func readAuthentication(_ section: Section, into authentication: inout AuthenticationConfiguration) {
        authentication.accountsFile = paths.secretFile(section, "accounts")
        if section.has("mechanisms") { authentication.mechanisms = section.values("mechanisms", .mechanism) }
        section.finish()
    }

    func readDNS(_ section: Section, into dns: inout DNSConfiguration) {
        let server = SettingKind.endpoint(defaultPort: 53)
        dns.forwarders = section.values("forward", server)
        let stubs = section.section("stub-zones")
        for (name, key, _) in stubs.freeEntries() {
            guard let zone = domain(name, key) else { continue }
            dns.stubZones[zone] = stubs.values(name, server)
        }
        let hosts = section.section("hosts")
        for (name, key, _) in hosts.freeEntries() {
            guard let host = domain(name, key) else { continue }
            dns.hosts[host] = hosts.values(name, .address)
        }
        section.read("lookups", .count(16...65_536), into: &dns.lookupsInFlight)
        section.read("trust-anchor", paths.path.or("none"), into: &dns.trustAnchorFile)
        judgeTrustAnchor(dns.trustAnchorFile, section.place(of: "trust-anchor"))
        section.finish()
    }

    private func judgeTrustAnchor(_ file: String?, _ place: Place) {
        guard let file else {
            problems.warning(
                at: place, "`dns.trust-anchor: none`: DNS answers are not validated, and DANE cannot be used")
            return
        }
        guard paths.files.inspect(file) == nil else { return }
        problems.warning(
            at: place,
            "there is no trust anchor at \(file): DNS answers are not validated; install dns-root-data"
        )
    }

    private func domain(_ name: String, _ key: Place) -> Domain? {
        guard let domain = SettingKind.domain.parse(name) else {
            problems.error(at: key, "`\(name.printable(limit: 80))` is no domain name")
            return nil
        }
        return domain
    }

    func readQueue(_ section: Section, into queue: inout QueueConfiguration) {
        section.read("ledger-size", .size(1 << 20...1 << 44), into: &queue.ledgerOctets)
        section.read(
            "ledger-age", .duration(.seconds(3600) ... .seconds(3650 * 86_400)), into: &queue.ledgerAge)
        // What a crash leaves in the log is read again before intake opens, so it stays small.
        section.read("log-size", .size(4 << 20...128 << 20), into: &queue.logOctets)
        section.read("content-buffer", .size(1 << 20...1 << 30), into: &queue.contentBufferOctets)
        section.read("block-cache", .size(1 << 20...1 << 36), into: &queue.blockCacheOctets)
        section.finish()
    }

    func readAdmin(_ section: Section, into admin: inout AdminConfiguration) {
        section.read("socket", paths.path, into: &admin.socket)
        section.read("group", .shortName, into: &admin.group)
        section.read("metrics", SettingKind.endpoint().or("none"), into: &admin.metrics)
        if let metrics = admin.metrics, metrics.address == .v4(0) || metrics.address == .v6(high: 0, low: 0) {
            problems.warning(
                at: section.place(of: "metrics"), "`admin.metrics` is open on all addresses of this host")
        }
        if let metrics = admin.metrics { judgeAddress(metrics.address, "metrics", section) }
        section.finish()
    }

    func readCluster(_ section: Section, into cluster: inout ClusterConfiguration) {
        section.read("address", SettingKind.address, into: &cluster.address)
        section.read("port", SettingKind.count(1...65_531).map { UInt16($0) }, into: &cluster.port)
        if let address = cluster.address, address == .v4(0) || address == .v6(high: 0, low: 0) {
            problems.error(
                at: section.place(of: "address"),
                "`cluster.address` must be one address by which the other nodes reach this one")
        } else if let address = cluster.address {
            judgeAddress(address, "address", section)
        }
        section.finish()
    }

    func readEvents(_ section: Section, into events: inout EventConfiguration) {
        section.read("file", paths.path.or("none"), into: &events.file)
        section.read("waiting", .size(64 << 10...1 << 30), into: &events.waitingOctets)
        section.finish()
    }
}

extension SettingKind where Value == String {
    fileprivate static var mechanism: SettingKind {
        SettingKind("SCRAM-SHA-256-PLUS, SCRAM-SHA-256, EXTERNAL, PLAIN or LOGIN") { text in
            AuthenticationConfiguration().mechanisms.contains(text) ? text : nil
        }
    }
}
