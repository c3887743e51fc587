import Testing

@testable import Cryptography

@Suite struct Base64Tests {
    @Test(
        "octets and their one spelling (RFC 4648 §10)",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func spells(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == Array(text.utf8))
        #expect(Base64.decode(Array(text.utf8)) == Array(plain.utf8))
    }

    @Test(
        "anything but the one right spelling is refused",
        arguments: [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "====", "=", "Z===", "Zm9vYg==Zg==", "Zg==Zm9v",
            "Zm9v\n", "Zm 9v",
            "Zm9v_-==", "Zm9*", "\u{e9}m9v", "AAA=====",
        ])
    func refuses(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }

    @Test("every octet survives, and a limit is a limit")
    func survives() {
        let all = (0...255).map { UInt8($0) }
        let text = Base64.encode(all)
        #expect(Base64.decode(text) == all)
        #expect(Base64.decode(text, limit: 256) == all)
        #expect(Base64.decode(text, limit: 255) == nil)
        #expect(Base64.decode(text, limit: 0) == nil)
    }
}
