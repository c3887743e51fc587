import MailValues
import QueueEngine
import RoutingPolicy

extension ConfigurationReader {
    func readDelivery(_ section: Section, into configuration: inout Configuration) {
        section.read("hello-name", .domain, into: &configuration.delivery.helloName)
        section.read("source-v4", .address(isV4: true), into: &configuration.delivery.sourceV4)
        section.read("source-v6", .address(isV4: false), into: &configuration.delivery.sourceV6)
        section.read("address-families", .choice, into: &configuration.delivery.addressFamilies)
        section.read(
            "port", SettingKind.count(1...65_535).map { UInt16($0) }, into: &configuration.delivery.port)
        configuration.delivery.ownNames = section.values("own-names", .domain)
        configuration.delivery.ownAddresses = section.values("own-addresses", .address)
        section.read(
            "connect-timeout", .duration(.seconds(1) ... .seconds(300)),
            into: &configuration.delivery.connectTimeout)
        readRetry(section.section("retry"), into: &configuration.delivery.retry)
        readConcurrency(section.section("concurrency"), into: &configuration.delivery.concurrency)
        readTLSPolicy(section.section("tls"), into: &configuration.relay.routes)
        readProviders(section.section("providers"), into: &configuration.delivery.providers)
        readEightBit(section.section("eight-bit"), into: &configuration.delivery)
        section.read(
            "double-bounces-to", SettingKind.mailbox.or("nobody"),
            into: &configuration.delivery.doubleBounceRecipient)
        section.read(
            "return-message-up-to", .size(0...16 << 20), into: &configuration.delivery.fullReturnOctets)
        section.finish()
    }

    private func readRetry(_ section: Section, into retry: inout RetrySchedule) {
        section.read("first", .duration(.seconds(1) ... .seconds(86_400)), into: &retry.retryDelayFirst)
        section.read("longest", .duration(.seconds(1) ... .seconds(86_400)), into: &retry.retryDelayLongest)
        section.read("jitter", .share(0...0.5), into: &retry.jitter)
        section.read("lifetime", .duration(.seconds(60) ... .seconds(30 * 86_400)), into: &retry.lifetime)
        section.read(
            "lifetime-of-reports", .duration(.seconds(60) ... .seconds(30 * 86_400)),
            into: &retry.lifetimeOfReports)
        section.read(
            "delay-notice", SettingKind.duration(.seconds(60) ... .seconds(30 * 86_400)).or("never"),
            into: &retry.delayNotice)
        if retry.retryDelayFirst > retry.retryDelayLongest {
            problems.error(
                at: section.place(of: "first"),
                "`delivery.retry.first` is longer than `delivery.retry.longest`")
        }
        if let notice = retry.delayNotice, notice >= retry.lifetime {
            problems.warning(
                at: section.place(of: "delay-notice"),
                "no delay is ever told: `delay-notice` is not shorter than `lifetime`")
        }
        section.finish()
    }

    private func readConcurrency(_ section: Section, into limits: inout ConcurrencyLimits) {
        let connections = SettingKind.count(1...100_000)
        section.read("connections", connections, into: &limits.connectionsTotal)
        section.read("per-site", connections, into: &limits.connectionsPerSite)
        section.read("per-provider", connections, into: &limits.connectionsPerProvider)
        section.read("per-route", connections, into: &limits.connectionsPerRoute)
        section.read("first", connections, into: &limits.connectionsFirst)
        section.read("opening-unknown", connections, into: &limits.openingUnknown)
        section.read("opening-newest", connections, into: &limits.openingNewest)
        section.read("opening-slow", connections, into: &limits.openingSlow)
        section.read("opening-probes", connections, into: &limits.openingProbes)
        section.read("opening-probes-slow", connections, into: &limits.openingProbesSlow)
        section.read("messages-per-connection", .count(0...1_000_000), into: &limits.messagesPerConnection)
        section.read("recipients-per-transaction", .count(1...10_000), into: &limits.recipientsPerTransaction)
        let duration = SettingKind.duration(.milliseconds(100) ... .seconds(3600))
        section.read("idle-reuse", .duration(.zero ... .seconds(300)), into: &limits.idleReuse)
        section.read("patience", duration, into: &limits.patienceLongest)
        section.read("dead-site-rest-first", duration, into: &limits.siteRestFirst)
        section.read("dead-route-rest-first", duration, into: &limits.routeRestFirst)
        section.read(
            "dead-site-rest-longest", .duration(.seconds(1) ... .seconds(86_400)),
            into: &limits.siteRestLongest)
        section.finish()
    }

    /// `default`, and domains: how strictly the MX hosts must encrypt.
    private func readTLSPolicy(_ section: Section, into routes: inout RouteTable) {
        for (name, key, value) in section.freeEntries() {
            guard let mode = section.value(of: value, SettingKind<RouteTLS>.choice, name: name) else {
                continue
            }
            if name == "default" {
                routes.defaultTLS = mode
            } else if let pattern = SettingKind.domainPattern.parse(name) {
                routes.setTLS(mode, for: pattern)
            } else {
                problems.error(
                    at: key,
                    "`\(name.printable(limit: 80))`: expected `default` or \(SettingKind.domainPattern.expectation)"
                )
            }
        }
    }

    private func readProviders(_ section: Section, into providers: inout [String: String]) {
        for (name, key, value) in section.freeEntries() {
            guard let suffix = SettingKind.domainPattern.parse(name) else {
                problems.error(
                    at: key, "`\(name.printable(limit: 80))`: expected the end of an MX host's name")
                continue
            }
            providers[String(suffix.drop { $0 == "." })] = section.value(of: value, .shortName, name: name)
        }
    }

    private func readEightBit(_ section: Section, into delivery: inout DeliveryConfiguration) {
        for (name, key, value) in section.freeEntries() {
            guard
                let rule = section.value(
                    of: value, SettingKind<DeliveryConfiguration.EightBitRule>.choice, name: name)
            else { continue }
            if name == "default" {
                delivery.eightBit = rule
            } else if let domain = SettingKind.domain.parse(name) {
                delivery.eightBitByDomain[domain] = rule
            } else {
                problems.error(
                    at: key,
                    "`\(name.printable(limit: 80))`: expected `default` or \(SettingKind.domain.expectation)")
            }
        }
    }
}

extension SettingKind where Value == IPAddress {
    fileprivate static func address(isV4: Bool) -> SettingKind {
        SettingKind.address.limited(isV4 ? "an IPv4 address of this host" : "an IPv6 address of this host") {
            $0.isV4 == isV4
        }
    }
}
