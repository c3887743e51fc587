import Testing

@testable import Cryptography

@Suite struct DigestTests {
    static func octets(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.utf8.map { UInt8(String(UnicodeScalar($0)), radix: 16)! }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test(
        "SHA-256 of known texts",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ])
    func digests(text: String, digest: String) {
        #expect(SHA256.digest(of: Array(text.utf8)) == Self.octets(digest))
    }

    @Test("pieces digest as the whole does, and the next digest begins afresh")
    func digestsPieces() {
        let whole = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
        var digest = SHA256()
        for cut in [1, 63, 64, 65, 500] {
            digest.update(whole[..<cut])
            digest.update(whole[cut...])
            #expect(digest.finish() == SHA256.digest(of: whole))
        }
    }

    @Test(
        "HMAC as in RFC 4231",
        arguments: [
            (
                Array(repeating: 0x0B, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                Array(repeating: 0xAA, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ] as [([UInt8], [UInt8], String)])
    func authenticates(key: [UInt8], text: [UInt8], code: String) {
        #expect(HMACSHA256.code(of: text, key: key) == Self.octets(code))
    }

    @Test("PBKDF2 as in RFC 7914 §11")
    func derives() {
        let key = pbkdf2SHA256(password: Array("passwd".utf8), salt: Array("salt".utf8), iterations: 1)
        #expect(key == Self.octets("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"))
    }

    @Test("comparison tells equal from unequal")
    func compares() {
        #expect(isEqualInConstantTime([1, 2, 3], [1, 2, 3]))
        #expect(!isEqualInConstantTime([1, 2, 3], [1, 2, 4]))
        #expect(!isEqualInConstantTime([1, 2, 3], [1, 2]))
        #expect(isEqualInConstantTime([], []))
    }

    @Test("chance does not repeat itself")
    func draws() {
        var random = SecureRandom()
        #expect(Set((0..<100).map { _ in random.octets(count: 16) }).count == 100)
        #expect(random.next() != random.next())
    }
}
