import DNSRecords
import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol

/// From a domain to the hosts that take its mail (RFC 5321 §5.1).
struct DestinationSearch: Sendable {
    let settings: DeliverySettings
    let resolver: any DNSResolver

    /// Answers are believed for at least this long, whatever their TTL: a zone that says 0 must not cost a
    /// look-up a message.
    static let shortestLife: Duration = .seconds(30)
    static let longestLife: Duration = .seconds(3600)

    func hosts(of domain: Domain) async -> DestinationAnswer {
        switch settings.routes.route(for: domain) {
        case .refuse(let reply):
            return .never(reply.isPermanent ? reply : Reply(550, EnhancedStatus(5, 7, 1), reply.text))
        case .smarthost(let route): return await configured(route, language: .smtp)
        case .lmtp(let route): return await configured(route, language: .lmtp)
        case .mx: return domain.isLiteral ? literal(domain) : await mailExchangers(of: domain)
        }
    }

    // MARK: By MX

    private func mailExchangers(of domain: Domain) async -> DestinationAnswer {
        let answer: DNSAnswer<MXRecord>
        do throws(DNSError) {
            answer = try await resolver.mx(domain.name)
        } catch {
            return failed(error, looking: domain.name)
        }
        var records = answer.values
        if records.isEmpty {
            // RFC 5321 §5.1: without any MX the domain itself is its only host, with preference 0.
            records = [MXRecord(preference: 0, exchange: domain.name)]
        } else if records.count == 1, records[0].exchange.isEmpty {
            // RFC 7505 §4.1: null MX, the domain takes no mail.
            return .never(Reply(556, EnhancedStatus(5, 1, 10), "\(domain) accepts no mail (null MX)"))
        }
        // A root among others is nonsense that RFC 7505 §3 forbids; the others may still serve.
        records.removeAll { $0.exchange.isEmpty }
        records.sort { ($0.preference, $0.exchange) < ($1.preference, $1.exchange) }
        return await dialable(
            Array(records.prefix(settings.hostLimit)), of: domain, timeToLive: answer.timeToLive)
    }

    private struct Found: Sendable {
        var index: Int
        var addresses: [IPAddress] = []
        var isOurs = false
        var failure: DNSError?
        var timeToLive: Duration = longestLife
    }

    private func dialable(
        _ records: [MXRecord], of domain: Domain, timeToLive: Duration
    ) async -> DestinationAnswer {
        let founds = await withTaskGroup(of: Found.self) { group in
            for (index, record) in records.enumerated() {
                group.addTask { await addresses(of: record.exchange, index: index) }
            }
            var all = [Found?](repeating: nil, count: records.count)
            for await found in group { all[found.index] = found }
            return all.compactMap { $0 }
        }
        // RFC 5321 §5.1: where we stand among the hosts, we and all that are no better than us are out.
        let ours = zip(records, founds).first { $1.isOurs }?.0.preference
        var ranks: [(preference: UInt16, hosts: [NextHop])] = []
        var temporary: DNSError?
        var life = timeToLive
        for (record, found) in zip(records, founds) where ours.map({ record.preference < $0 }) ?? true {
            life = min(life, found.timeToLive)
            if let failure = found.failure { temporary = temporary ?? failure }
            guard !found.addresses.isEmpty else { continue }
            let hop = NextHop(name: record.exchange, port: settings.port, addresses: found.addresses)
            if ranks.last?.preference == record.preference {
                ranks[ranks.count - 1].hosts.append(hop)
            } else {
                ranks.append((record.preference, [hop]))
            }
        }
        guard !ranks.isEmpty else {
            if let temporary { return failed(temporary, looking: domain.name) }
            if ours != nil {
                return .never(Reply(554, EnhancedStatus(5, 4, 6), "Mail for \(domain) loops back to us"))
            }
            return .never(
                Reply(550, EnhancedStatus(5, 4, 4), "\(domain) has no mail host that may be dialled"))
        }
        let tls = Destination.TLSRule(settings.routes.tls(for: domain))
        let hosts = ranks.map(\.hosts)
        return .found(
            Destination(
                ranks: hosts, tls: tls, isFromDNS: true,
                provider: hosts[0].first.flatMap { settings.providers.provider(of: $0.name) },
                key: SiteKey(ranks: hosts.map { $0.map(\.name) }, manner: "mx:\(tls.rawValue)")),
            timeToLive: min(max(life, Self.shortestLife), Self.longestLife))
    }

    /// The addresses of one host, without those that DNS has no business to send us to.
    private func addresses(of name: String, index: Int) async -> Found {
        var found = Found(index: index)
        guard !settings.isOwn(name) else {
            found.isOurs = true
            return found
        }
        async let answerV4 = lookUp(wanted: settings.addressFamilies != .v6Only) {
            () async throws(DNSError) in
            try await resolver.addressesV4(name)
        }
        async let answerV6 = lookUp(wanted: settings.addressFamilies != .v4Only) {
            () async throws(DNSError) in
            try await resolver.addressesV6(name)
        }
        let answers = await [(answerV4, isV6: false), (answerV6, isV6: true)]
        for (answer, isV6) in settings.addressFamilies == .v6First ? answers.reversed() : answers {
            switch answer {
            case .success(let answer):
                found.timeToLive = min(found.timeToLive, answer.timeToLive)
                found.isOurs = found.isOurs || answer.values.contains { settings.ownAddresses.contains($0) }
                // IPv4 in an AAAA record is a mapped address: no host has one, and who publishes it wants
                // something else than his mail. `IPAddress` takes the mapping off, so the family tells.
                found.addresses += answer.values.filter { settings.isDialable($0) && !(isV6 && $0.isV4) }
            case .failure(.noSuchName), .failure(.badName): break
            case .failure(let error): found.failure = error
            }
        }
        return found
    }

    private func lookUp(
        wanted: Bool, _ ask: () async throws(DNSError) -> DNSAnswer<IPAddress>
    ) async -> Result<DNSAnswer<IPAddress>, DNSError> {
        guard wanted else {
            return .success(DNSAnswer(values: [], isSecure: false, timeToLive: Self.longestLife))
        }
        do throws(DNSError) {
            return .success(try await ask())
        } catch {
            return .failure(error)
        }
    }

    private func failed(_ error: DNSError, looking name: String) -> DestinationAnswer {
        switch error {
        case .noSuchName: .never(Reply(550, EnhancedStatus(5, 1, 2), "Domain \(name) does not exist"))
        case .badName: .never(Reply(550, EnhancedStatus(5, 1, 2), "\(name) is no name that DNS could know"))
        case .temporary(let detail):
            .notNow(
                Reply(
                    451, EnhancedStatus(4, 4, 3), "Look-up of \(name) failed: \(detail.printable(limit: 200))"
                ))
        case .bogus(let detail):
            .notNow(
                Reply(
                    451, EnhancedStatus(4, 7, 5),
                    "Answer for \(name) is forged: \(detail.printable(limit: 200))"))
        }
    }

    // MARK: Without MX

    /// `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3): somebody else chose the address, so the same
    /// rule holds.
    private func literal(_ domain: Domain) -> DestinationAnswer {
        var text = domain.name.dropFirst().dropLast()
        let isV6 = text.hasPrefix("ipv6:")
        if isV6 { text = text.dropFirst(5) }
        guard let address = IPAddress(text) else {
            return .never(Reply(550, EnhancedStatus(5, 1, 2), "\(domain) is not an address"))
        }
        guard !settings.ownAddresses.contains(address) else {
            return .never(Reply(554, EnhancedStatus(5, 4, 6), "Mail for \(domain) loops back to us"))
        }
        guard settings.isDialable(address), isV6 != address.isV4 else {
            return .never(Reply(550, EnhancedStatus(5, 4, 4), "\(domain) may not be dialled"))
        }
        let tls = Destination.TLSRule(settings.routes.tls(for: domain))
        let hop = NextHop(name: domain.name, port: settings.port, addresses: [address])
        return .found(
            Destination(
                ranks: [[hop]], tls: tls, isFromDNS: true,
                key: SiteKey(ranks: [[domain.name]], manner: "literal:\(tls.rawValue)")),
            timeToLive: Self.longestLife)
    }

    /// Hosts that the operator wrote down: any address will do, loopback too.
    private func configured(_ route: SmarthostRoute, language: DialTarget.Language) async -> DestinationAnswer
    {
        var hops: [NextHop] = []
        var failure: DNSError?
        var life = Self.longestLife
        for host in route.hosts.prefix(settings.hostLimit) {
            if let address = host.address {
                hops.append(NextHop(name: host.host, port: host.port, addresses: [address]))
                continue
            }
            let answers = [
                await lookUp(wanted: settings.addressFamilies != .v6Only) { () async throws(DNSError) in
                    try await resolver.addressesV4(host.host)
                },
                await lookUp(wanted: settings.addressFamilies != .v4Only) { () async throws(DNSError) in
                    try await resolver.addressesV6(host.host)
                },
            ]
            var addresses: [IPAddress] = []
            for answer in answers {
                switch answer {
                case .success(let answer):
                    addresses += answer.values
                    life = min(life, answer.timeToLive)
                case .failure(let error): failure = error
                }
            }
            if !addresses.isEmpty {
                hops.append(NextHop(name: host.host, port: host.port, addresses: addresses))
            }
        }
        guard !hops.isEmpty else {
            // A name that the operator wrote and nobody knows is his mistake or a moment's; the mail waits
            // for him.
            let name = route.hosts.first?.description ?? "no host"
            return .notNow(
                Reply(
                    451, EnhancedStatus(4, 4, 3),
                    "Route to \(name) cannot be resolved: \(failure.map { "\($0)" } ?? "")"))
        }
        let credentials = route.credentials.flatMap { settings.credentials[$0] }
        if let name = route.credentials, credentials == nil {
            return .notNow(Reply(451, EnhancedStatus(4, 3, 5), "Route lacks its credentials \(name)"))
        }
        let ranks = route.isShuffled ? [hops] : hops.map { [$0] }
        let tls = Destination.TLSRule(route.tls)
        let manner = "\(language):\(tls.rawValue):\(route.implicitTLS):\(route.credentials ?? "")"
        return .found(
            Destination(
                ranks: ranks, language: language, tls: tls, implicitTLS: route.implicitTLS,
                credentials: credentials,
                isFromDNS: false,
                key: SiteKey(ranks: ranks.map { $0.map { "\($0.name):\($0.port)" } }, manner: manner)),
            timeToLive: min(max(life, Self.shortestLife), Self.longestLife))
    }
}

extension Destination.TLSRule {
    init(_ route: RouteTLS) {
        self =
            switch route {
            case .none: .none
            case .may: .may
            case .require: .require
            case .verify: .verify
            }
    }
}
