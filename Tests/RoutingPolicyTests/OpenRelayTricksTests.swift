import MailValues
import RoutingPolicy
import SMTPProtocol
import Testing

@Suite("Open relay tricks") struct OpenRelayTricksTests {
    private static let closed = OpenRelayTrick.Parties(
        ownDomain: "example.com", ownUser: "alice", ownHost: "mx.example.com", ownAddress: .v4(0xC000_0201))
    private static let open = OpenRelayTrick.Parties(
        ownDomain: "open.example", ownUser: "alice", ownHost: "mx.example.com", ownAddress: .v4(0xC000_0201))

    @Test("there are more than forty tricks, and no two are the same")
    func count() {
        #expect(OpenRelayTricks.all.count >= 40)
        #expect(Set(OpenRelayTricks.all.map(\.name)).count == OpenRelayTricks.all.count)
        #expect(
            Set(OpenRelayTricks.all.map { $0.sender + " " + $0.recipient }).count == OpenRelayTricks.all.count
        )
    }

    @Test(
        "every trick is refused by the policy alone, with recipient lists and without, from outside and by a foreign tenant",
        arguments: OpenRelayTricks.all
    )
    func refused(_ trick: OpenRelayTrick) {
        for parties in [Self.closed, Self.open] {
            let sender = ReversePath.mailbox(recipient(unwrapped(trick.senderArgument(parties))).mailbox)
            let command = recipient(unwrapped(trick.recipientArgument(parties)))
            for client in [House.stranger, House.cloud] where client == House.stranger || !isListed(sender) {
                let decision = House.policy.recipientDecision(command, sender: sender, client: client)
                guard case .refuse(let reply) = decision else {
                    Issue.record("\(trick.name): \(decision)")
                    continue
                }
                #expect(reply.isPermanent)
            }
        }
    }

    @Test("a policy that trusts everybody is seen through by the plain trick")
    func openRelayIsFound() throws {
        var settings = House.settings()
        settings.networks = NetworkSet([Network("0.0.0.0/0")!])
        let plain = try #require(OpenRelayTricks.all.first)
        let command = recipient(unwrapped(plain.recipientArgument(Self.closed)))
        let decision = RelayPolicy(settings).recipientDecision(command, sender: .null, client: House.stranger)
        guard case .accept = decision else {
            Issue.record("an open relay went unseen")
            return
        }
    }

    @Test("own addresses of both families are written as literals")
    func literals() {
        var parties = Self.closed
        let trick = OpenRelayTricks.all.first { $0.name == "percent hack at our literal" }!
        #expect(
            String(decoding: trick.recipientArgument(parties), as: UTF8.self)
                == "<relaytest%relay-test.example@[192.0.2.1]>")
        parties.ownAddress = IPAddress("2001:db8::1")!
        #expect(
            String(decoding: trick.recipientArgument(parties), as: UTF8.self)
                == "<relaytest%relay-test.example@[IPv6:2001:db8::1]>")
    }

    private func isListed(_ sender: ReversePath) -> Bool { sender.mailbox?.domain == Domain("example.com") }

    private func unwrapped(_ argument: [UInt8]) -> [UInt8] {
        guard argument.first == UInt8(ascii: "<"), argument.last == UInt8(ascii: ">") else { return argument }
        return Array(argument.dropFirst().dropLast())
    }
}

@Suite("Address tricks") struct AddressTrickTests {
    @Test(
        "each trick is called by its name",
        arguments: [
            ("user@example.com", AddressTrick?.none), ("user+tag@example.com", nil), ("u=x@example.com", nil),
            ("user+40@example.com", nil), ("user=40@example.com", nil), ("\"a b\"@example.com", .separator),
            ("\"plain\"@example.com", nil), ("j\u{F6}rg@example.com", nil), ("a&b@example.com", nil),
            ("o'neill#x@example.com", nil), ("", nil), ("user", nil),
            ("u%h@example.com", .percentHack), ("h!u@example.com", .bangPath),
            ("@a:u@example.com", .sourceRoute),
            ("\"u@h\"@example.com", .quotedAt), ("u@h@example.com", .secondAt),
            ("u=40h.org@example.com", .encoded),
            ("u+40h.org@example.com", .encoded), ("u\u{FF20}h@example.com", .encoded),
            ("\"u\\100h\"@example.com", .encoded), ("u@[192.0.2.1]", .literal), ("u@example.com.", .finalDot),
            ("u\u{0}@example.com", .controlCharacter), ("-oX@example.com", .command),
            ("\"-oX\"@example.com", .command),
            ("|cmd@example.com", .command), ("u@example.com:25", .separator), ("u;v@example.com", .separator),
            ("u@exa%mple.com", .separator), ("u@exa!mple.com", .separator), ("u@\"example.com", .separator),
        ]
    )
    func names(_ path: String, _ expected: AddressTrick?) {
        #expect(AddressTrick.find(in: Array(path.utf8)) == expected)
    }

    @Test("what is not UTF-8 is a trick")
    func broken() {
        #expect(AddressTrick.find(in: [0x75, 0xC1, 0x80, 0x40, 0x61]) == .notUTF8)
        #expect(AddressTrick.find(in: [0x75, 0xFF, 0x40, 0x61]) == .notUTF8)
    }
}
