import MailValues
import SMTPProtocol
import SMTPTransport
import Testing

@Suite("TLS under a server session")
struct ServerTLSTests {
    @Test("from the first octet, where the listener has it so")
    func implicit() async throws {
        let server = try await HouseServer(tls: .fixture()) {
            $0.tls = .implicit
        } listener: {
            $0.tlsUse = .implicit
        }
        let client = try await server.connect()
        let facts = try await client.startTLS()
        #expect(facts.version == "TLSv1.3")
        #expect(try await client.codes(1) == ["220"])
        #expect(try await client.ask("EHLO client.example.test")?.contains("STARTTLS") == false)
        #expect(server.house.seen.tls.count == 1)
        #expect(server.house.seen.tls.first?.exporter == facts.exporter)
        await server.stop()
    }

    @Test("after STARTTLS; what was said before no longer counts")
    func startTLS() async throws {
        let server = try await HouseServer(tls: .fixture()) { $0.tls = .startTLS }
        let client = try await server.greeted()
        #expect(try await client.ask("STARTTLS")?.hasPrefix("220") == true)
        _ = try await client.startTLS()
        #expect(try await client.ask("MAIL FROM:<a@example.org>")?.hasPrefix("503") == true)
        let offer = try await client.ask("EHLO client.example.test")
        #expect(offer?.hasPrefix("250") == true && offer?.contains("STARTTLS") == false)
        try await client.send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n")
        #expect(try await client.codes(3) == ["250", "250", "354"])
        try await client.send("x\r\n.\r\n")
        #expect(try await client.codes(1) == ["250"])
        #expect(server.house.seen.content == Array("x\r\n".utf8))
        await server.stop()
    }

    @Test(
        "never, when anything stands behind STARTTLS in clear: the session ends",
        arguments: [
            "NOOP\r\n", "EHLO x\r\n", "M", "\r\n",
            "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.test>\r\n",
        ])
    func injected(behind: String) async throws {
        let server = try await HouseServer(tls: .fixture()) { $0.tls = .startTLS }
        let client = try await server.greeted()
        try await client.send("STARTTLS\r\n" + behind)
        while let reply = try await client.reply() { #expect(!reply.hasPrefix("250")) }
        #expect(server.house.seen.tls.isEmpty)
        await server.stop()
    }

    @Test("a client that only hangs in its handshake is not waited for")
    func slowHandshake() async throws {
        let server = try await HouseServer(tls: .fixture()) {
            $0.tls = .startTLS
            $0.limits.handshakeTimeout = .milliseconds(50)
        }
        let client = try await server.greeted()
        #expect(try await client.ask("STARTTLS")?.hasPrefix("220") == true)
        #expect(try await client.reply() == nil)
        await server.stop()
    }
}
