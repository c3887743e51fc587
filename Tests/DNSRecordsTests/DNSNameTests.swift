import DNSRecords
import MailValues
import Testing

@Suite("DNS names") struct DNSNameTests {
    private static let longLabel = String(repeating: "a", count: 63)

    @Test(
        "a name is asked for in one form, or not at all",
        arguments: [
            ("example.org", "example.org"), ("Example.ORG", "example.org"), ("example.org.", "example.org"),
            ("_25._tcp.mx.example.org", "_25._tcp.mx.example.org"), ("-a-.example", "-a-.example"),
            ("org", "org"),
            ("B\u{FC}cher.example", "xn--bcher-kva.example"),
            (longLabel + ".example", longLabel + ".example"), ("a" + longLabel + ".example", nil),
            ("", nil), (".", nil), ("..", nil), ("a..b", nil), (".a", nil), ("a b", nil), ("a\u{0}b", nil),
            ("a/b", nil),
            ("*.example", nil), ("a\\.b", nil), ("\u{2665}.example", nil), ("[192.0.2.1]", nil),
            (String(repeating: "a.", count: 126) + "a", String(repeating: "a.", count: 126) + "a"),
            (String(repeating: "a.", count: 126) + "ab", nil),
            (String(repeating: "\u{FC}.", count: 40) + "example", nil),
        ] as [(String, String?)]
    )
    func normalized(_ name: String, _ expected: String?) { #expect(DNSName.normalized(name) == expected) }

    @Test("wire form and text lead to each other", arguments: ["", "org", "_25._tcp.mx.example.org"])
    func wire(_ name: String) {
        let octets = DNSName.wire(name)
        #expect(DNSName.text(octets[...])?.name == name)
        #expect(DNSName.text(octets[...])?.octetCount == octets.count)
        for end in 0..<octets.count { #expect(DNSName.text(octets[..<end]) == nil) }
    }

    @Test(
        "a name that text could not carry is no name",
        arguments: [
            [3, 0x61, 0x2E, 0x62, 0], [1, 0x20, 0], [1, 0, 0], [1, 0xFF, 0], [1, 0x5C, 0], [0xC0, 0],
            [0x40, 0], [],
        ] as [[UInt8]]
    )
    func illegible(_ octets: [UInt8]) { #expect(DNSName.text(octets[...]) == nil) }

    @Test("a name in wire form has no more than 255 octets")
    func tooLong() {
        let longest = (0..<254).map { UInt8($0 % 2 == 0 ? 1 : 0x61) } + [0]
        #expect(DNSName.text(longest[...])?.octetCount == 255)
        #expect(DNSName.text(([1, 0x61] + longest)[...]) == nil)
    }

    @Test(
        "the names of an address stand in the reverse tree",
        arguments: [
            ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
            (
                "2001:db8::567:89ab",
                "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
            ),
        ]
    )
    func reverse(_ address: String, _ name: String) throws {
        #expect(DNSName.reverse(of: try #require(IPAddress(address))) == name)
    }
}
