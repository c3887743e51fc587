import MailValues
import RoutingPolicy
import SMTPProtocol
import Testing

/// A small house: two relay domains with lists, one without, a trusted network, a shared one.
enum House {
    static let postmaster = Mailbox(localPart: "boss", domain: Domain("example.com"))

    static func settings() -> RelaySettings {
        var settings = RelaySettings(hostname: Domain("mx.example.com"), postmaster: postmaster)
        settings.abuse = Mailbox(localPart: "abusedesk", domain: Domain("example.com"))
        settings.ownAddresses = [.v4(0xC000_0201)]
        settings.networks = NetworkSet([Network("10.0.0.0/8")!, Network("2001:db8:1::/48")!])
        settings.sharedNetworks = [
            shared("first", domain: "example.com"), shared("second", domain: "second.example"),
        ]
        settings.certificateFingerprints = ["AA:BB:CC"]
        settings.certificateNames = ["Relay.Partner.Example"]
        settings.accounts = [
            "printer": SenderScope(["scan@example.com"])!, "bulk": .unlimited,
            "shop": SenderScope(["@shop.example"])!,
        ]
        settings.relayDomains = [
            RelayDomain(
                "example.com", recipients: .listed(RecipientSet(["alice", "Bob", "odd%one", "a!b"]))),
            RelayDomain("open.example", recipients: .any),
            RelayDomain("b\u{FC}cher.example", recipients: .listed(RecipientSet(["leser", "j\u{F6}rg"]))),
            RelayDomain(".many.example", recipients: .any),
            RelayDomain("closed.example", recipients: .any),
        ]
        settings.routes.setRoute(
            .refuse(Reply(550, EnhancedStatus(5, 7, 1), "Closed")), for: "closed.example")
        settings.routes.setRoute(
            .refuse(Reply(556, EnhancedStatus(5, 1, 10), "Never")), for: ".never.example")
        settings.routes.setRoute(
            .lmtp(SmarthostRoute(hosts: [HostPort(host: "::1", port: 24)])), for: "localbox")
        return settings
    }

    private static func shared(_ name: String, domain: String) -> SharedNetwork {
        SharedNetwork(
            name: name, networks: NetworkSet([Network("203.0.113.0/24")!]), senderDomains: [Domain(domain)],
            authorDomains: [Domain(domain)], headerName: "X-OriginatorOrg", headerValue: domain)
    }

    static let policy = RelayPolicy(settings())
    static let stranger = ClientStanding(address: .v4(0xC633_6401), listener: .mx)
    static let inside = ClientStanding(address: .v4(0x0A01_0203), listener: .inside)
    static let cloud = ClientStanding(address: .v4(0xCB00_7105), listener: .mx)
    static let account = ClientStanding(address: .v4(0xC633_6401), listener: .submission, account: "printer")
}

/// A recipient from its path, split at the last `@` behind any source route, as the session's parser does.
func recipient(_ path: String) -> RecipientCommand { recipient(Array(path.utf8)) }

func recipient(_ path: [UInt8]) -> RecipientCommand {
    var rest = path[...]
    if rest.first == 0x40, let colon = rest.firstIndex(of: 0x3A) { rest = rest[(colon + 1)...] }
    let at = rest.lastIndex(of: 0x40)
    let local = String(decoding: rest[..<(at ?? rest.endIndex)], as: UTF8.self)
    let domain = at.map { String(decoding: rest[($0 + 1)...], as: UTF8.self) } ?? ""
    return RecipientCommand(mailbox: Mailbox(localPart: local, domain: Domain(domain)), rawPath: path)
}

func mailbox(_ text: String) -> Mailbox { recipient(text).mailbox }

private let someone = ReversePath.mailbox(mailbox("someone@elsewhere.example"))

struct RecipientCase: Sendable, CustomTestStringConvertible {
    let path: String
    let expected: Expected
    enum Expected: Sendable, Equatable {
        case taken(Right)
        case redirected(String)
        case refused(UInt16, String)
    }
    init(_ path: String, _ expected: Expected) {
        self.path = path
        self.expected = expected
    }
    var testDescription: String { path }
}

private func check(_ sample: RecipientCase, client: ClientStanding, sender: ReversePath = someone) {
    let decision = House.policy.recipientDecision(recipient(sample.path), sender: sender, client: client)
    switch (decision, sample.expected) {
    case (.accept(let right, let target), .taken(let expected)):
        #expect(right == expected)
        #expect(target == recipient(sample.path).mailbox)
    case (.accept(let right, let target), .redirected(let expected)):
        #expect(right == .role)
        #expect(target.description == expected)
    case (.refuse(let reply), .refused(let code, let enhanced)):
        #expect(reply.code == code)
        #expect(reply.enhanced?.description == enhanced)
    default:
        Issue.record("\(sample.path): \(decision)")
    }
}

@Suite("Recipients") struct RelayPolicyTests {
    @Test(
        "a stranger reaches those who exist in our domains, and nobody else",
        arguments: [
            RecipientCase("alice@example.com", .taken(.destination)),
            RecipientCase("ALICE@example.com", .taken(.destination)),
            RecipientCase("bob@EXAMPLE.com", .taken(.destination)),
            RecipientCase("\"alice\"@example.com", .taken(.destination)),
            RecipientCase("alice+news@example.com", .taken(.destination)),
            RecipientCase("alice+news=shop.example@example.com", .taken(.destination)),
            RecipientCase("carol@example.com", .refused(550, "5.1.1")),
            RecipientCase("+alice@example.com", .refused(550, "5.1.1")),
            RecipientCase("anybody@open.example", .taken(.destination)),
            RecipientCase("SRS0=HHH=TT=orig.example=alice@open.example", .taken(.destination)),
            RecipientCase("SRS0=40aB=TT=orig.example=alice@open.example", .taken(.destination)),
            RecipientCase("prvs=4012345678=alice@open.example", .taken(.destination)),
            RecipientCase("bounce+alice=orig.example@open.example", .taken(.destination)),
            RecipientCase("anybody@one.many.example", .taken(.destination)),
            RecipientCase("anybody@many.example", .refused(550, "5.7.1")),
            RecipientCase("leser@b\u{FC}cher.example", .taken(.destination)),
            RecipientCase("leser@xn--bcher-kva.example", .taken(.destination)),
            RecipientCase("J\u{D6}RG@B\u{DC}CHER.example", .taken(.destination)),
            RecipientCase("anybody@closed.example", .refused(550, "5.7.1")),
            RecipientCase("user@elsewhere.example", .refused(550, "5.7.1")),
            RecipientCase("user@sub.example.com", .refused(550, "5.7.1")),
            RecipientCase("user@notexample.com", .refused(550, "5.7.1")),
            RecipientCase("alice@mx.example.com", .refused(550, "5.1.1")),
            RecipientCase("user@[198.51.100.9]", .refused(550, "5.7.1")),
            RecipientCase("user@localhost", .refused(550, "5.7.1")),
        ]
    )
    func stranger(_ sample: RecipientCase) { check(sample, client: House.stranger) }

    @Test(
        "postmaster and abuse are always taken",
        arguments: [
            RecipientCase("postmaster", .redirected("boss@example.com")),
            RecipientCase("PostMaster", .redirected("boss@example.com")),
            RecipientCase("postmaster@example.com", .redirected("boss@example.com")),
            RecipientCase("abuse@example.com", .redirected("abusedesk@example.com")),
            RecipientCase("postmaster@open.example", .taken(.destination)),
            RecipientCase("Postmaster@mx.example.com", .redirected("boss@example.com")),
            RecipientCase("postmaster@[192.0.2.1]", .redirected("boss@example.com")),
            RecipientCase("abuse@[IPv6:::ffff:192.0.2.1]", .redirected("abusedesk@example.com")),
            RecipientCase("postmaster@[192.0.2.2]", .refused(550, "5.7.1")),
            RecipientCase("postmaster@elsewhere.example", .refused(550, "5.7.1")),
            RecipientCase("abuse", .refused(553, "5.1.3")),
            RecipientCase("alice", .refused(553, "5.1.3")),
        ]
    )
    func roles(_ sample: RecipientCase) { check(sample, client: House.stranger) }

    @Test(
        "a name that plainly exists is taken however strange, and its kin are not",
        arguments: [
            RecipientCase("odd%one@example.com", .taken(.destination)),
            RecipientCase("a!b@example.com", .taken(.destination)),
            RecipientCase("odd%two@example.com", .refused(550, "5.7.1")),
            RecipientCase("@example.com:alice@example.com", .refused(550, "5.7.1")),
            RecipientCase("alice+x%elsewhere.example@example.com", .refused(550, "5.7.1")),
            RecipientCase("user%elsewhere.example@open.example", .refused(550, "5.7.1")),
        ]
    )
    func plainMatch(_ sample: RecipientCase) { check(sample, client: House.stranger) }

    @Test(
        "who has a right sends anywhere that exists, in any form",
        arguments: [
            RecipientCase("user@elsewhere.example", .taken(.network(Network("10.0.0.0/8")!))),
            RecipientCase("user%host@elsewhere.example", .taken(.network(Network("10.0.0.0/8")!))),
            RecipientCase("alice@example.com", .taken(.network(Network("10.0.0.0/8")!))),
            RecipientCase("carol@example.com", .refused(550, "5.1.1")),
            RecipientCase("user@localbox", .taken(.network(Network("10.0.0.0/8")!))),
            RecipientCase("user@single", .refused(550, "5.1.2")),
            RecipientCase("user@127.0.0.1", .refused(550, "5.1.2")),
            RecipientCase("user@-\u{FC}.example", .refused(550, "5.1.2")),
            RecipientCase("user@a.never.example", .refused(556, "5.1.10")),
            RecipientCase("user@closed.example", .refused(550, "5.7.1")),
            RecipientCase("us\u{7}er@elsewhere.example", .refused(553, "5.1.3")),
        ]
    )
    func insider(_ sample: RecipientCase) { check(sample, client: House.inside) }

    @Test(
        "an account, a fingerprint and a name under the authority give a right; their likes do not",
        arguments: [
            (ClientStanding(address: .v4(1), listener: .submission, account: "x"), Right.account("x")),
            (
                ClientStanding(address: .v4(1), listener: .mx, certificateFingerprint: "aabbcc"),
                .certificate("aabbcc")
            ),
            (ClientStanding(address: .v4(1), listener: .mx, certificateFingerprint: "aabbcd"), nil),
            (
                ClientStanding(
                    address: .v4(1), listener: .mx, certificateNames: ["a.example", "relay.partner.example"]),
                .certificate("relay.partner.example")
            ),
            (
                ClientStanding(address: .v4(1), listener: .mx, certificateNames: ["x.relay.partner.example"]),
                nil
            ),
            (
                ClientStanding(address: IPAddress("::ffff:10.9.9.9")!, listener: .mx),
                .network(Network("10.0.0.0/8")!)
            ),
            (
                ClientStanding(address: IPAddress("2001:db8:1::9")!, listener: .mx),
                .network(Network("2001:db8:1::/48")!)
            ),
            (ClientStanding(address: IPAddress("2001:db8:2::9")!, listener: .mx), nil),
        ]
    )
    func rights(_ client: ClientStanding, _ expected: Right?) {
        #expect(House.policy.right(of: client) == expected)
    }
}

@Suite("Senders") struct SenderDecisionTests {
    struct Case: Sendable {
        let client: ClientStanding
        let sender: String?
        let code: UInt16?
        init(_ client: ClientStanding, _ sender: String?, _ code: UInt16?) {
            self.client = client
            self.sender = sender
            self.code = code
        }
    }

    private static func submitting(_ account: String?) -> ClientStanding {
        ClientStanding(address: .v4(1), listener: .submission, account: account)
    }

    @Test(
        "an account is held to its own addresses, and a listener to its clients",
        arguments: [
            Case(submitting("printer"), "scan@example.com", nil),
            Case(submitting("printer"), "Scan+floor2@EXAMPLE.com", nil),
            Case(submitting("printer"), nil, nil),
            Case(submitting("printer"), "alice@example.com", 553),
            Case(submitting("printer"), "scan@example.org", 553),
            Case(submitting("shop"), "anything@shop.example", nil),
            Case(submitting("shop"), "anything@sub.shop.example", 553),
            Case(submitting("bulk"), "anything@anywhere.example", nil),
            Case(submitting("carol@example.com"), "carol@example.com", nil),
            Case(submitting("carol@example.com"), "dave@example.com", 553),
            Case(submitting("unlisted"), "unlisted@example.com", 553),
            Case(submitting(nil), "alice@example.com", 530),
            Case(House.inside, "whoever@example.com", nil),
            Case(ClientStanding(address: .v4(0xC633_6401), listener: .inside), "alice@example.com", 550),
            Case(ClientStanding(address: .v4(0xCB00_7105), listener: .inside), "alice@example.com", nil),
            Case(House.stranger, "alice@example.com", nil),
            Case(House.stranger, "SRS0=x=y=z=q%odd@example.com", nil),
        ]
    )
    func senders(_ sample: Case) {
        let sender = sample.sender.map { ReversePath.mailbox(mailbox($0)) } ?? .null
        #expect(House.policy.senderDecision(sender, client: sample.client)?.code == sample.code)
    }

    @Test(
        "a scope says what it can read, and refuses the rest",
        arguments: [
            ("user@example.org", true), ("@example.org", true), ("example.org", true), (".example.org", true),
            ("*", true), ("user@", false), ("", false), ("user@-\u{FC}", false),
        ]
    )
    func scopes(_ entry: String, _ isReadable: Bool) { #expect((SenderScope([entry]) != nil) == isReadable) }
}

@Suite("Shared networks") struct SharedNetworkTests {
    private func decide(_ path: String, from sender: String?) -> RecipientDecision {
        let sender = sender.map { ReversePath.mailbox(mailbox($0)) } ?? .null
        return House.policy.recipientDecision(recipient(path), sender: sender, client: House.cloud)
    }

    @Test("a listed sender gets a provisional right, and nobody else any")
    func provisional() {
        guard
            case .acceptProvisionally(let right, let target) = decide(
                "u@elsewhere.example", from: "alice@example.com")
        else {
            Issue.record("not provisional")
            return
        }
        #expect(right.candidates.map(\.name) == ["first"])
        #expect(target == mailbox("u@elsewhere.example"))
        let denied = RecipientDecision.refuse(RelayPolicy.Replies.relayDenied)
        #expect(decide("u@elsewhere.example", from: "mallory@tenant.example") == denied)
        #expect(decide("u@elsewhere.example", from: nil) == denied)
        #expect(decide("u@elsewhere.example", from: "alice@sub.example.com") == denied)
        #expect(decide("u%target.example@elsewhere.example", from: "alice@example.com") == denied)
    }

    @Test("our own domains need no proof from a shared network")
    func destination() {
        #expect(
            decide("alice@example.com", from: "mallory@tenant.example")
                == .accept(.destination, mailbox: mailbox("alice@example.com")))
    }

    struct Content: Sendable {
        let authors: [String]
        let headers: [String]
        let isTaken: Bool
        init(_ authors: [String], _ headers: [String], _ isTaken: Bool) {
            self.authors = authors
            self.headers = headers
            self.isTaken = isTaken
        }
    }

    @Test(
        "author and header must both be ours at the end of data",
        arguments: [
            Content(["example.com"], ["example.com"], true),
            Content(["example.com"], [" Example.COM\r\n"], true),
            Content(["example.com", "example.com"], ["example.com", "example.com"], true),
            Content(["example.com"], [], false),
            Content(["example.com"], [""], false),
            Content(["example.com"], ["tenant.example"], false),
            Content(["example.com"], ["example.com", "tenant.example"], false),
            Content(["example.com"], ["example.com.tenant.example"], false),
            Content(["tenant.example"], ["example.com"], false),
            Content(["example.com", "tenant.example"], ["example.com"], false),
            Content([], ["example.com"], false),
        ]
    )
    func content(_ sample: Content) {
        guard
            case .acceptProvisionally(let right, _) = decide("u@elsewhere.example", from: "alice@example.com")
        else {
            Issue.record("not provisional")
            return
        }
        let reply = House.policy.contentDecision(right, authorDomains: sample.authors.map { Domain($0) }) {
            name in
            name == "X-OriginatorOrg" ? sample.headers : []
        }
        #expect(reply == (sample.isTaken ? nil : RelayPolicy.Replies.relayDenied))
    }
}
