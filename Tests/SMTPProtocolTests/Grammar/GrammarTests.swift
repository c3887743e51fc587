import Testing

@testable import SMTPProtocol

@Suite("Base 64, xtext, numbers")
struct GrammarTests {
    @Test(
        "base 64 in both directions (RFC 4648 §10)",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ]
    )
    func base64(_ plain: String, _ coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == Array(coded.utf8))
        #expect(Array(coded.utf8).withUnsafeBytes { Base64.decode($0) } == Array(plain.utf8))
    }

    @Test(
        "base 64 with anything odd is none",
        arguments: [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm-_",
            "Zm9vZg=a",
        ]
    )
    func base64Refused(_ coded: String) {
        #expect(Array(coded.utf8).withUnsafeBytes { Base64.decode($0) } == nil)
    }

    @Test(
        "xtext is decoded, or is none",
        arguments: [
            ("abc", "abc"), ("a+2Bb", "a+b"), ("a+3Db", "a=b"), ("a+2bb", "a+b"), ("+C3+A4", "ä"),
            ("a=b", nil), ("a+2", nil), ("a+", nil),
            ("a+GG", nil), ("a b", nil), ("+0D+0A", nil), ("+FF", nil), ("+00", nil),
        ] as [(String, String?)]
    )
    func xtext(_ coded: String, _ plain: String?) {
        #expect(Array(coded.utf8).withUnsafeBytes { Xtext.decodeText($0) } == plain)
    }

    @Test(
        "an address of type utf-8 is decoded (RFC 6533 §3)",
        arguments: [
            ("a@b.example", "a@b.example"), ("\\x{E4}@b", "ä@b"), ("ä@b", "ä@b"), ("\\x{1F4E7}", "📧"),
            ("\\x{5C}", "\\"), ("\\x{}", nil),
            ("\\x{D800}", nil), ("\\x{0A}", nil), ("\\x{1234567}", nil), ("\\y", nil), ("a+b", nil),
            ("\\x{E4", nil),
        ] as [(String, String?)]
    )
    func utf8Address(_ coded: String, _ plain: String?) {
        #expect(Array(coded.utf8).withUnsafeBytes { Xtext.decodeUTF8Address($0) } == plain)
    }

    @Test(
        "numbers have digits only, and an end",
        arguments: [
            ("0", 0), ("007", 7), ("18446744073709551615", .max), ("18446744073709551616", nil), ("", nil),
            ("-1", nil), ("+1", nil), ("1 ", nil), ("0x1", nil),
        ] as [(String, UInt64?)]
    )
    func decimal(_ text: String, _ value: UInt64?) {
        #expect(Array(text.utf8).withUnsafeBytes { $0.decimal } == value)
    }
}
