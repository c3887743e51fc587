import Testing

@testable import Cryptography

@Suite struct KeyFileTests {
    @Test("what is written is read again, for its purpose alone", arguments: KeyFile.Purpose.allCases)
    func roundTrips(purpose: KeyFile.Purpose) throws {
        let key = Ed25519PrivateKey.generate()
        let text = KeyFile.text(of: key.seed, for: purpose)
        #expect(try KeyFile.parse(text, for: purpose) == key.seed)
        let other: KeyFile.Purpose = purpose == .node ? .operator : .node
        #expect(throws: KeyFileError.otherPurpose(purpose)) { try KeyFile.parse(text, for: other) }
    }

    @Test(
        "what is no key is refused",
        arguments: [
            "", "# only words\n", "node ed25519\n", "node ed25519 AAAA\n", "node rsa AAAA\n",
            "node ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= more\n",
            "node ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
            "node ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nnode ed25519 AAAA\n",
            "king ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        ])
    func refuses(text: String) {
        #expect(throws: KeyFileError.notAKey) { try KeyFile.parse(Array(text.utf8), for: .node) }
    }
}
