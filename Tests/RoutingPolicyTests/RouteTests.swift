import MailValues
import RoutingPolicy
import Testing

@Suite("Routes") struct RouteTests {
    private static func host(_ name: String) -> Route {
        .smarthost(SmarthostRoute(hosts: [HostPort(host: name, port: 25)]))
    }

    private static let table: RouteTable = {
        var table = RouteTable(defaultRoute: .mx)
        table.setRoute(host("exact"), for: "Example.ORG")
        table.setRoute(host("below"), for: ".example.org")
        table.setRoute(host("deeper"), for: ".sub.example.org")
        table.setRoute(host("label"), for: "b\u{FC}cher.example")
        table.setTLS(.verify, for: "example.org")
        return table
    }()

    @Test(
        "the exact name wins, then the longest suffix, then the default",
        arguments: [
            ("example.org", host("exact")), ("EXAMPLE.org", host("exact")), ("a.example.org", host("below")),
            ("sub.example.org", host("below")), ("x.sub.example.org", host("deeper")),
            ("notexample.org", .mx), ("org", .mx), ("[192.0.2.1]", .mx),
            ("xn--bcher-kva.example", host("label")),
            ("B\u{DC}CHER.example", host("label")),
        ]
    )
    func lookUp(_ name: String, _ expected: Route) {
        #expect(Self.table.route(for: Domain(name)) == expected)
    }

    @Test("TLS is asked by domain as well")
    func tls() {
        #expect(Self.table.tls(for: Domain("example.org")) == .verify)
        #expect(Self.table.tls(for: Domain("other.org")) == .may)
    }

    @Test("a pattern that cannot be a domain is told", arguments: ["", ".", "-\u{FC}.example"])
    func bad(_ pattern: String) {
        var table = RouteTable()
        let isTaken = table.setRoute(.mx, for: pattern)
        #expect(!isTaken)
    }

    @Test(
        "a host is shown as it is written", arguments: [("::1", "[::1]:24"), ("a.example", "a.example:24")])
    func hosts(_ host: String, _ text: String) { #expect(HostPort(host: host, port: 24).description == text) }
}

@Suite("Recipient lists") struct RecipientListTests {
    private func parse(_ text: String) throws -> [String] {
        try RecipientList(parsing: Array(text.utf8), domain: Domain("example.org")).localParts
    }

    @Test("a line names one recipient, by local part or address")
    func lines() throws {
        #expect(
            try parse("# all of us\nalice\r\n  bob@example.org\t# Robert\n\na#b\n\"x y\"@EXAMPLE.org\n")
                == ["alice", "bob", "a#b", "\"x y\""])
    }

    @Test(
        "what is no recipient is named by its line",
        arguments: [("alice\nbob@elsewhere.example", 2), ("a b", 1), ("\n\n@example.org", 3), ("a\u{1}", 1)]
    )
    func bad(_ text: String, _ line: Int) {
        let problem = #expect(throws: RecipientList.Problem.self) { try parse(text) }
        #expect(problem?.line == line)
    }

    @Test("case counts only where it is said to")
    func caseSensitive() {
        let set = RecipientSet(["Alice"], isCaseSensitive: true, subaddressSeparators: "-")
        #expect(set.match("Alice") == .exact)
        #expect(set.match("alice") == .none)
        #expect(set.match("Alice-x") == .subaddress)
        #expect(set.match("Alice+x") == .none)
    }
}
