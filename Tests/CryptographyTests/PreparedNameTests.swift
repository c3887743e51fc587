import Testing

@testable import Cryptography

@Suite struct PreparedNameTests {
    @Test(
        "names that are one name to people are one name to us (RFC 8265 §3.3)",
        arguments: [
            ("alice", "alice"), ("Alice@Example.COM", "alice@example.com"), ("J\u{d6}RG", "j\u{f6}rg"),
            ("jo\u{308}rg", "j\u{f6}rg"), ("\u{ff21}lice", "alice"), ("\u{3a3}", "\u{3c3}"),
            ("a=b,c", "a=b,c"),
            ("\u{5d0}\u{5d1}1", "\u{5d0}\u{5d1}1"), ("\u{4e2d}\u{6587}", "\u{4e2d}\u{6587}"),
        ])
    func prepares(raw: String, prepared: String) {
        #expect(PreparedName(raw)?.text.utf8.elementsEqual(prepared.utf8) == true)
    }

    @Test(
        "what can be taken for something else is no name",
        arguments: [
            "", " ", "a b", "a\tb", "a\u{0}", "a\u{a0}b", "a\u{200b}b", "\u{2460}", "\u{fb01}x", "\u{265a}",
            "a\u{5d0}", "\u{5d0}a", "\u{1d400}", "\u{ff71}", String(repeating: "a", count: 256),
        ])
    func refuses(raw: String) {
        #expect(PreparedName(raw) == nil)
    }

    @Test(
        "passwords keep their case; spaces are one space, composition is one composition (RFC 8265 §4.2)",
        arguments: [
            ("Secret", "Secret"), ("correct horse", "correct horse"),
            ("correct\u{3000}horse", "correct horse"),
            ("e\u{301}", "\u{e9}"), ("\u{265a}", "\u{265a}"), ("\u{ff21}", "\u{ff21}"),
        ])
    func preparesPasswords(raw: String, prepared: String) {
        #expect(OpaqueString(raw)?.octets == Array(prepared.utf8))
    }

    @Test(
        "an empty password, control characters and absurd length are refused",
        arguments: [
            "", "a\nb", "\u{7}", "a\u{85}", String(repeating: "x", count: 1_025),
            String(repeating: "\u{fa6c}", count: 300),
        ])
    func refusesPasswords(raw: String) {
        #expect(OpaqueString(raw) == nil)
    }
}
