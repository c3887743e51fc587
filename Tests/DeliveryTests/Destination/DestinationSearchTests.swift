import DNSRecords
import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("Finding a domain's hosts")
struct DestinationSearchTests {
    enum Outcome: Equatable, Sendable {
        case found([[String]])
        case never(EnhancedStatus)
        case notNow(EnhancedStatus)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var domain = "d.example"
        var mx: [(UInt16, String)]?
        var addresses: [String: [String]] = [:]
        /// AAAA records of the form `::ffff:192.0.2.1`.
        var mapped: [String: [String]] = [:]
        var errors: [String: DNSError] = [:]
        var outcome: Outcome
        var dialled: [String]?
        var testDescription: String { name }
    }

    static let good = [
        "a.example": ["192.0.2.1"], "b.example": ["192.0.2.2", "2001:db8::2"], "c.example": ["192.0.2.3"],
    ]

    @Test(
        "hosts stand in ranks, without us, without those behind us, without what may not be dialled",
        arguments: [
            Case(
                name: "ranks", mx: [(20, "c.example"), (10, "b.example"), (10, "a.example")], addresses: good,
                outcome: .found([["a.example", "b.example"], ["c.example"]])),
            Case(
                name: "no MX: the domain itself", mx: nil, addresses: ["d.example": ["192.0.2.7"]],
                outcome: .found([["d.example"]])),
            Case(name: "null MX", mx: [(0, "")], outcome: .never(EnhancedStatus(5, 1, 10))),
            Case(
                name: "a root among others is left out", mx: [(0, ""), (10, "a.example")], addresses: good,
                outcome: .found([["a.example"]])),
            Case(name: "no such domain", mx: nil, outcome: .never(EnhancedStatus(5, 1, 2))),
            Case(
                name: "MX without any address", mx: [(10, "x.example")],
                outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(
                name: "MX look-up fails", mx: nil, errors: ["d.example": .temporary(detail: "x")],
                outcome: .notNow(EnhancedStatus(4, 4, 3))),
            Case(
                name: "forged answer", mx: nil, errors: ["d.example": .bogus(detail: "x")],
                outcome: .notNow(EnhancedStatus(4, 7, 5))),
            Case(
                name: "only host's address fails", mx: [(10, "a.example")],
                errors: ["a.example": .temporary(detail: "x")], outcome: .notNow(EnhancedStatus(4, 4, 3))),
            Case(
                name: "one host's address fails", mx: [(10, "a.example"), (20, "c.example")], addresses: good,
                errors: ["a.example": .temporary(detail: "x")], outcome: .found([["c.example"]])),
            Case(
                name: "we by name are least preferred", mx: [(10, "a.example"), (20, "relay.ours.example")],
                addresses: good, outcome: .found([["a.example"]])),
            Case(
                name: "we by name, and those no better",
                mx: [(10, "a.example"), (20, "relay.ours.example"), (20, "b.example"), (30, "c.example")],
                addresses: good, outcome: .found([["a.example"]])),
            Case(
                name: "we by address", mx: [(10, "a.example"), (20, "u.example"), (30, "c.example")],
                addresses: good.merging(["u.example": ["203.0.113.99"]]) { $1 },
                outcome: .found([["a.example"]])),
            Case(
                name: "we are the best", mx: [(10, "relay.ours.example"), (20, "a.example")], addresses: good,
                outcome: .never(EnhancedStatus(5, 4, 6))),
            Case(
                name: "we by the domain's own address", mx: nil, addresses: ["d.example": ["203.0.113.99"]],
                outcome: .never(EnhancedStatus(5, 4, 6))),
            Case(
                name: "loopback", mx: [(10, "l.example")], addresses: ["l.example": ["127.0.0.1"]],
                outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(
                name: "private", mx: [(10, "l.example")],
                addresses: ["l.example": ["10.1.2.3", "192.168.1.1", "172.16.0.1", "fd00::1"]],
                outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(
                name: "link-local, multicast, unspecified", mx: [(10, "l.example")],
                addresses: [
                    "l.example": [
                        "169.254.169.254", "224.0.0.1", "0.0.0.0", "fe80::1", "ff02::1", "::", "::1",
                    ]
                ], outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(
                name: "mapped loopback", mx: [(10, "l.example")],
                addresses: ["l.example": ["::ffff:127.0.0.1"]], outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(
                name: "mapped, whatever it maps", mx: [(10, "m.example")],
                mapped: ["m.example": ["192.0.2.1"]], outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(
                name: "mapped beside an address of its own", mx: [(10, "m.example"), (20, "a.example")],
                addresses: good.merging(["m.example": ["2001:db8::7"]]) { $1 },
                mapped: ["m.example": ["192.0.2.9"]], outcome: .found([["m.example"], ["a.example"]]),
                dialled: ["2001:db8::7", "192.0.2.1"]),
            Case(
                name: "we by a mapped address", mx: [(10, "m.example")],
                mapped: ["m.example": ["203.0.113.99"]], outcome: .never(EnhancedStatus(5, 4, 6))),
            Case(
                name: "a mapped literal", domain: "[IPv6:::ffff:192.0.2.5]", mx: nil,
                outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(name: "a literal", domain: "[192.0.2.5]", mx: nil, outcome: .found([["[192.0.2.5]"]])),
            Case(
                name: "an IPv6 literal", domain: "[IPv6:2001:db8::5]", mx: nil,
                outcome: .found([["[ipv6:2001:db8::5]"]])),
            Case(
                name: "a loopback literal", domain: "[127.0.0.1]", mx: nil,
                outcome: .never(EnhancedStatus(5, 4, 4))),
            Case(
                name: "our own literal", domain: "[203.0.113.99]", mx: nil,
                outcome: .never(EnhancedStatus(5, 4, 6))),
            Case(
                name: "a literal of no kind", domain: "[x:y]", mx: nil,
                outcome: .never(EnhancedStatus(5, 1, 2))),
        ]
    )
    func finds(sample: Case) async {
        let resolver = ZoneResolver { zone in
            if let mx = sample.mx {
                zone.mx[sample.domain] = mx.map { MXRecord(preference: $0.0, exchange: $0.1) }
            }
            zone.addresses = sample.addresses.mapValues { $0.map { address($0) } }
            zone.mapped = sample.mapped.mapValues { $0.map { address($0) } }
            zone.errors = sample.errors
        }
        var settings = DeliverySettings.example
        // RFC 5737 documentation networks serve as the public network here.
        settings.isDialable = { $0.isPubliclyDialable }
        let answer = await DestinationSearch(settings: settings, resolver: resolver).hosts(
            of: Domain(sample.domain))
        #expect(Outcome(answer) == sample.outcome)
        guard let dialled = sample.dialled, case .found(let destination, _) = answer else { return }
        var random = SplitMix(seed: 1)
        let targets = DialPlan(destination, settings: settings, using: &random).targets
        #expect(targets.map(\.address) == dialled.map { address($0) })
    }

    @Test("a configured host may be anywhere, loopback too, and brings its own port and manner")
    func configured() async {
        var settings = DeliverySettings.example
        settings.credentials["relay"] = DialTarget.Credentials(user: "u", password: "p")
        settings.routes.setRoute(
            .smarthost(
                SmarthostRoute(
                    hosts: [HostPort(host: "127.0.0.1", port: 2525), HostPort(host: "a.example", port: 587)],
                    tls: .verify,
                    credentials: "relay")), for: "smart.example")
        settings.routes.setRoute(
            .lmtp(SmarthostRoute(hosts: [HostPort(host: "::1", port: 24)], tls: RouteTLS.none)),
            for: "local.example")
        settings.routes.setRoute(
            .refuse(Reply(550, EnhancedStatus(5, 7, 1), "closed")), for: "closed.example")
        settings.routes.setRoute(
            .smarthost(SmarthostRoute(hosts: [HostPort(host: "nowhere.example", port: 25)])),
            for: "wrong.example")
        let search = DestinationSearch(
            settings: settings, resolver: ZoneResolver { $0.addresses["a.example"] = [address("10.0.0.1")] })
        guard case .found(let smart, _) = await search.hosts(of: Domain("smart.example")) else {
            Issue.record("a smarthost is found")
            return
        }
        #expect(smart.ranks.map { $0.map(\.name) } == [["127.0.0.1"], ["a.example"]])
        #expect(smart.credentials?.user == "u" && !smart.isFromDNS)
        var random = SplitMix(seed: 1)
        let targets = DialPlan(smart, settings: settings, using: &random).targets
        #expect(targets.map(\.port) == [2525, 587])
        #expect(targets.map(\.tls) == [.verify(names: ["127.0.0.1"]), .verify(names: ["a.example"])])
        guard case .found(let local, _) = await search.hosts(of: Domain("local.example")) else {
            Issue.record("an LMTP host is found")
            return
        }
        #expect(local.language == .lmtp && local.tls == .none)
        #expect(Outcome(await search.hosts(of: Domain("closed.example"))) == .never(EnhancedStatus(5, 7, 1)))
        #expect(Outcome(await search.hosts(of: Domain("wrong.example"))) == .notNow(EnhancedStatus(4, 4, 3)))
    }

    @Test("hosts of equal rank are shuffled, ranks are not, and addresses are bounded")
    func plan() {
        let hosts = (0..<4).map {
            NextHop(name: "h\($0)", port: 25, addresses: [.v4(UInt32($0)), .v4(UInt32($0 + 100))])
        }
        let last = NextHop(name: "last", port: 25, addresses: [.v4(9)])
        let destination = Destination(
            ranks: [hosts, [last]], tls: .may, isFromDNS: true, key: SiteKey(ranks: [], manner: ""))
        var random = SplitMix(seed: 1)
        var firsts: Set<String> = []
        for _ in 0..<100 {
            let targets = DialPlan(destination, settings: .example, using: &random).targets
            #expect(targets.count == 9 && targets.last?.hostName == "last")
            #expect(Set(targets.prefix(4).map(\.hostName)).count == 4)
            firsts.insert(targets[0].hostName)
        }
        #expect(firsts == ["h0", "h1", "h2", "h3"])
        var settings = DeliverySettings.example
        settings.addressLimit = 3
        #expect(DialPlan(destination, settings: settings, using: &random).targets.count == 3)
    }
}

extension DestinationSearchTests.Outcome {
    init(_ answer: DestinationAnswer) {
        switch answer {
        case .found(let destination, _): self = .found(destination.ranks.map { $0.map(\.name) })
        case .never(let reply): self = .never(reply.enhanced ?? EnhancedStatus(5, 0, 0))
        case .notNow(let reply): self = .notNow(reply.enhanced ?? EnhancedStatus(4, 0, 0))
        }
    }
}
