import MailValues
import SMTPProtocol
import SMTPTransport
import Testing

@Suite("PROXY headers before a session")
struct ServerProxyTests {
    private func server(
        _ peers: String = "127.0.0.0/8", timeout: Duration = .seconds(3_600)
    ) async throws -> HouseServer {
        try await HouseServer(listener: {
            $0.proxyPeers = NetworkSet([Network(peers)!])
            $0.proxyHeaderTimeout = timeout
        })
    }

    /// Version 2: TCP over IPv4, from 192.0.2.7:4660 to 192.0.2.25:25.
    private static let binary: [UInt8] =
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0x00, 0x0C]
        + [192, 0, 2, 7, 192, 0, 2, 25, 0x12, 0x34, 0, 25]
    private static let text = Array("PROXY TCP4 192.0.2.7 192.0.2.25 4660 25\r\n".utf8)

    @Test("from a listed peer name the client, however they are cut", arguments: [text, binary])
    func listed(header: [UInt8]) async throws {
        let server = try await server()
        for cut in [header.count, 1] {
            let client = try await server.connect()
            for start in stride(from: 0, to: header.count, by: cut) {
                try await client.send(Array(header[start..<min(start + cut, header.count)]))
            }
            #expect(try await client.codes(1) == ["220"])
            let facts = try #require(server.house.seen.facts.last)
            #expect(facts.client == IPAddress("192.0.2.7") && facts.clientPort == 4_660)
            #expect(facts.local == IPAddress("192.0.2.25") && facts.localPort == 25)
            #expect(facts.proxy == IPAddress("127.0.0.1"))
            await client.hangUp()
        }
        await server.stop()
    }

    @Test(
        "from anybody else are not believed: we speak first, and the header is no command",
        arguments: [text, binary])
    func unlisted(header: [UInt8]) async throws {
        let server = try await server("192.0.2.0/24")
        let client = try await server.connect()
        #expect(try await client.codes(1) == ["220"])
        try await client.send(header)
        let code = try await client.codes(1)
        #expect(["500", "502", "421", "554", "end"].contains(code[0]), "\(code)")
        #expect(server.house.seen.facts.allSatisfy { $0.client == IPAddress("127.0.0.1") && $0.proxy == nil })
        await server.stop()
    }

    @Test("that say LOCAL or UNKNOWN open a session for EHLO and QUIT alone")
    func healthCheck() async throws {
        let server = try await server()
        let client = try await server.connect()
        try await client.send("PROXY UNKNOWN\r\n")
        #expect(try await client.codes(1) == ["220"])
        #expect(try await client.ask("EHLO balancer.example.test")?.hasPrefix("250") == true)
        #expect(try await client.ask("MAIL FROM:<a@example.org>")?.hasPrefix("550") == true)
        #expect(try await client.ask("QUIT")?.hasPrefix("221") == true)
        await server.stop()
    }

    @Test(
        "that are nonsense end the connection without a word",
        arguments: ["EHLO client.example.test\r\n", "PROXY TCP4 192.0.2.7\r\n", "PROXY TCP9 a b c d\r\n"])
    func nonsense(header: String) async throws {
        let server = try await server()
        let client = try await server.connect()
        try await client.send(header)
        #expect(try await client.reply() == nil)
        #expect(server.house.seen.facts.isEmpty)
        await server.stop()
    }

    @Test("that do not come are not waited for")
    func missing() async throws {
        let server = try await server(timeout: .milliseconds(50))
        let client = try await server.connect()
        #expect(try await client.reply() == nil)
        await server.stop()
    }
}
