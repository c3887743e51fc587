import MailValues
import Testing

@Suite("Punycode and labels") struct PunycodeTests {
    /// RFC 3492 §7.1, and the German example of everybody.
    private static let samples: [(String, String)] = [
        (
            "\u{4ED6}\u{4EEC}\u{4E3A}\u{4EC0}\u{4E48}\u{4E0D}\u{8BF4}\u{4E2D}\u{6587}",
            "ihqwcrb4cv8a8dqg056pqjye"
        ),
        (
            "\u{644}\u{64A}\u{647}\u{645}\u{627}\u{628}\u{62A}\u{643}\u{644}\u{645}\u{648}\u{634}\u{639}\u{631}\u{628}\u{64A}\u{61F}",
            "egbpdaj6bu4bxfgehfvwxn"
        ),
        ("3\u{5E74}B\u{7D44}\u{91D1}\u{516B}\u{5148}\u{751F}", "3B-ww4c5e180e575a65lsy2b"),
        ("\u{305D}\u{306E}\u{30B9}\u{30D4}\u{30FC}\u{30C9}\u{3067}", "d9juau41awczczp"),
        ("-> $1.00 <-", "-> $1.00 <--"),
        ("b\u{FC}cher", "bcher-kva"),
    ]

    @Test("the examples of RFC 3492 §7.1 go both ways", arguments: samples)
    func examples(_ plain: String, _ encoded: String) {
        #expect(
            Punycode.encode(Array(plain.unicodeScalars)).map { String(decoding: $0, as: UTF8.self) }
                == encoded)
        #expect(Punycode.decode(Array(encoded.utf8)[...]) == Array(plain.unicodeScalars))
    }

    @Test(
        "what is no Punycode is nothing",
        arguments: ["bcher-kv\u{E9}", "99999999", "b\u{FC}-a", "a-9", "ZZZZZZZZZZZZ999999999"])
    func broken(_ encoded: String) { #expect(Punycode.decode(Array(encoded.utf8)[...]) == nil) }

    @Test(
        "a domain is written as DNS knows it, or not at all",
        arguments: [
            ("example.org", "example.org"), ("B\u{DC}CHER.Example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"), ("fa\u{DF}.example", "xn--fa-hia.example"),
            ("\u{4F8B}\u{3048}\u{3002}\u{30C6}\u{30B9}\u{30C8}", "xn--r8jz45g.xn--zckzah"),
            ("\u{FF45}x\u{E4}mple.org", "xn--exmple-cua.org"), ("[192.0.2.1]", "[192.0.2.1]"),
            ("xn--bcher-kva.b\u{FC}cher", "xn--bcher-kva.xn--bcher-kva"),
            ("-\u{FC}.example", nil), ("\u{FC}-.example", nil), ("ab--\u{FC}.example", nil),
            ("\u{301}x.example", nil),
            ("\u{2665}.example", nil), ("a\u{200B}\u{FC}.example", nil), ("\u{FC}..example", nil),
            ("\u{FC}\u{E000}", nil),
            (String(repeating: "\u{FC}", count: 64) + ".example", nil),
        ] as [(String, String?)]
    )
    func aLabels(_ name: String, _ expected: String?) { #expect(Domain(name).aLabel?.name == expected) }

    @Test(
        "people read the U-label of an honest A-label only",
        arguments: [
            ("xn--bcher-kva.example", "b\u{FC}cher.example"),
            ("xn--bcher-kv.example", "xn--bcher-kv.example"),
            ("xn--example-.org", "xn--example-.org"), ("plain.example", "plain.example"),
            ("xn--g6h.example", "xn--g6h.example"),
        ]
    )
    func uLabels(_ name: String, _ expected: String) { #expect(Domain(name).uLabel.name == expected) }

    @Test(
        "a literal gives its address",
        arguments: [
            ("[192.0.2.1]", "192.0.2.1"), ("[IPv6:2001:DB8::1]", "2001:db8::1"), ("[2001:db8::1]", nil),
            ("[IPv6:192.0.2.1]", nil), ("[x]", nil), ("[192.0.2.1", nil), ("192.0.2.1", nil),
        ] as [(String, String?)]
    )
    func literals(_ name: String, _ expected: String?) {
        #expect(Domain(name).literalAddress == expected.flatMap { IPAddress($0) })
    }
}
