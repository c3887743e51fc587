import MailValues
import Testing

@testable import Cryptography

@Suite struct Ed25519Tests {
    struct Vector: Sendable {
        let seed: String
        let publicKey: String
        let message: String
        let signature: String
    }

    /// RFC 8032 §7.1, tests 1 to 3.
    static let vectors = [
        Vector(
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        Vector(
            seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        Vector(
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]

    @Test("keys and signatures as in RFC 8032 §7.1", arguments: vectors)
    func signs(vector: Vector) throws {
        let key = try #require(Ed25519PrivateKey(seed: DigestTests.octets(vector.seed)))
        let message = DigestTests.octets(vector.message)
        #expect(key.publicKey == DigestTests.octets(vector.publicKey))
        #expect(key.sign(message) == DigestTests.octets(vector.signature))
        #expect(Ed25519.verify(key.sign(message), of: message, by: key.publicKey))
        #expect(Ed25519.verify(key.sign(message), of: message, by: key.node))
    }

    @Test("one bent bit anywhere, another key or another message is no signature")
    func refuses() {
        var random = SystemRandomNumberGenerator()
        let key = Ed25519PrivateKey.generate(using: &random)
        let message = Array("one word".utf8)
        let signature = key.sign(message)
        for bit in 0..<signature.count * 8 {
            var bent = signature
            bent[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Ed25519.verify(bent, of: message, by: key.node))
        }
        #expect(!Ed25519.verify(signature, of: Array("one work".utf8), by: key.node))
        #expect(!Ed25519.verify(signature, of: message, by: Ed25519PrivateKey.generate().node))
    }

    @Test("a second spelling of a signature, its scalar not reduced, is refused (RFC 8032 §5.1.7)")
    func refusesUnreduced() {
        let key = Ed25519PrivateKey.generate()
        var signature = key.sign([1])
        let order = DigestTests.octets("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var carry = 0
        for index in 0..<32 {
            let sum = Int(signature[32 + index]) + Int(order[index]) + carry
            signature[32 + index] = UInt8(sum & 255)
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(!Ed25519.verify(signature, of: [1], by: key.node))
    }

    @Test("octets of a wrong length are neither key nor signature", arguments: [0, 1, 31, 33, 63, 65, 1_000])
    func refusesLengths(count: Int) {
        let octets = [UInt8](repeating: 1, count: count)
        let key = Ed25519PrivateKey.generate()
        #expect(Ed25519PrivateKey(seed: octets) == nil)
        #expect(!Ed25519.verify(octets, of: [1], by: key.node))
        #expect(!Ed25519.verify(key.sign([1]), of: [1], by: octets))
    }

    @Test("a key that is printed shows no secret")
    func printsNoSecret() {
        let key = Ed25519PrivateKey.generate()
        #expect(!"\(key)".contains(String(decoding: Base64.encode(key.seed), as: UTF8.self)))
    }
}
