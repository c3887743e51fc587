import Testing

@testable import SMTPProtocol

@Suite("What a peer offers")
struct ClientPeerOfferTests {
    private func offer(_ lines: String...) -> PeerOffer {
        PeerOffer(helloText: Array((["mx.example at your service"] + lines).joined(separator: "\n").utf8))
    }

    @Test("is found by keyword, in any case")
    func keywords() {
        let all = offer(
            "PIPELINING", "8bitmime", "SMTPUTF8", "Chunking", "DSN", "ENHANCEDSTATUSCODES", "STARTTLS",
            "SIZE 52428800",
            "LIMITS RCPTMAX=100 MAILMAX=5 FOO=1", "AUTH PLAIN login SCRAM-SHA-256 GSSAPI", "XYZZY")
        var expected = PeerCapabilities()
        expected.pipelining = true
        expected.eightBitMIME = true
        expected.smtpUTF8 = true
        expected.chunking = true
        expected.dsn = true
        expected.enhancedStatusCodes = true
        expected.size = 52_428_800
        expected.recipientMaximum = 100
        expected.mailMaximum = 5
        #expect(all.capabilities == expected)
        #expect(all.startTLS)
        #expect(all.mechanisms == [.plain, .login, .scramSHA256])
    }

    @Test("is not taken from the line with its name")
    func greetingLine() {
        #expect(PeerOffer(helloText: Array("PIPELINING CHUNKING".utf8)) == PeerOffer())
    }

    @Test(
        "may be a size without a number, or with a strange one",
        arguments: [
            ("SIZE", 0), ("SIZE 0", 0), ("SIZE 99999999999999999999999", 0), ("SIZE x", 0), ("SIZE 10", 10),
        ] as [(String, UInt64)])
    func sizes(_ line: String, _ size: UInt64) {
        #expect(offer(line).capabilities.size == size)
    }

    @Test(
        "is no limit where nothing could be sent under it",
        arguments: ["LIMITS RCPTMAX=0", "LIMITS RCPTMAX", "LIMITS RCPTMAX=x", "LIMITS"])
    func limits(_ line: String) {
        #expect(offer(line).capabilities.recipientMaximum == nil)
    }
}
