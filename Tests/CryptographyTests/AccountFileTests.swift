import Testing

@testable import Cryptography

@Suite struct AccountFileTests {
    static let verifier =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
        + ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

    @Test("what is written is read again")
    func roundTrips() throws {
        let account = Account(
            name: PreparedName("alice")!,
            verifier: ScramVerifier(password: Array("pencil".utf8), salt: ScramTests.salt, iterations: 4_096),
            senders: ["alice@example.com", "@example.org"])
        let silent = Account(name: PreparedName("bob")!, verifier: account.verifier, senders: [])
        let text = AccountFile.text(of: [account, silent])
        #expect(try AccountFile.parse(text) == [account, silent])
        #expect(
            String(decoding: text, as: UTF8.self).contains(
                "alice \(Self.verifier) alice@example.com,@example.org\n"))
    }

    @Test("comments, empty lines, tabs and CRLF are borne")
    func bears() throws {
        let text = "# one\n\n  # two\r\nAlice\t\(Self.verifier)  *\r\n"
        let accounts = try AccountFile.parse(Array(text.utf8))
        #expect(accounts.map(\.name.text) == ["alice"])
        #expect(accounts.map(\.senders) == [["*"]])
    }

    @Test(
        "an error names the line and never repeats it",
        arguments: [
            "alice", "alice \(verifier)", "alice \(verifier) * more", "a\u{a0}b \(verifier) *",
            "alice plain:secret *",
            "alice SCRAM-SHA-1$4096:W22Z$x:y *", "alice SCRAM-SHA-256$1:W22ZaJ0SNY7soEsUEjb6gQ==$x:y *",
            "alice \(verifier.dropLast()) *", "alice \(verifier) a\u{7f}b",
        ])
    func refuses(line: String) throws {
        let error = #expect(throws: AccountFileError.self) {
            try AccountFile.parse(Array("# first\n\(line)\n".utf8))
        }
        #expect(error?.line == 2)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("a name that is there twice is refused, however it is written")
    func refusesTwice() {
        let text = "alice \(Self.verifier) *\nALICE \(Self.verifier) -\n"
        #expect(throws: AccountFileError(line: 2, problem: "the account is there twice")) {
            try AccountFile.parse(Array(text.utf8))
        }
    }
}
