import MailValues
import SMTPProtocol
import SMTPTransport
import Testing

@Suite("A server session on a socket")
struct ServerHandlerTests {
    private static let envelope = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.test>\r\n"
    private static let transaction = envelope + "DATA\r\n"

    @Test("answers commands that come in one packet in their order")
    func pipelining() async throws {
        let server = try await HouseServer()
        let client = try await server.greeted()
        try await client.send(Self.transaction)
        #expect(try await client.codes(3) == ["250", "250", "354"])
        try await client.send("x: y\r\n\r\none\r\n.\r\n" + Self.transaction)
        #expect(try await client.codes(4) == ["250", "250", "250", "354"])
        try await client.send("..two\r\n.\r\nNOOP\r\nQUIT\r\n")
        #expect(try await client.codes(4) == ["250", "250", "221", "end"])
        #expect(server.house.seen.content == Array("x: y\r\n\r\none\r\n.two\r\n".utf8))
        await server.stop()
    }

    @Test("takes a message that comes octet by octet")
    func octetByOctet() async throws {
        let server = try await HouseServer()
        let client = try await server.connect()
        _ = try await client.reply()
        for octet in Array(("HELO a\r\n" + Self.transaction + ".\r.\r\n..\r\n.\r\nQUIT\r\n").utf8) {
            try await client.send([octet])
        }
        #expect(try await client.codes(7) == ["250", "250", "250", "354", "250", "221", "end"])
        #expect(server.house.seen.messages == 1)
        await server.stop()
    }

    @Test("takes chunks wherever the packets cut them", arguments: [1, 3, 10, 1_000])
    func chunks(octets: Int) async throws {
        let server = try await HouseServer()
        let client = try await server.greeted()
        let talk = Array(
            (Self.envelope + "BDAT 10\r\n0123456\r\n.BDAT 6\r\n\r\n.\r\n.BDAT 0 LAST\r\nQUIT\r\n").utf8)
        for start in stride(from: 0, to: talk.count, by: octets) {
            try await client.send(Array(talk[start..<min(start + octets, talk.count)]))
        }
        #expect(try await client.codes(7) == ["250", "250", "250", "250", "250", "221", "end"])
        #expect(server.house.seen.content == Array("0123456\r\n.\r\n.\r\n.".utf8) + Array("\r\n".utf8))
        await server.stop()
    }

    @Test("goes on with what was sent ahead only when the message is answered")
    func answersLate() async throws {
        let house = WatchedHouse(isHolding: true)
        let server = try await HouseServer(house: house)
        let client = try await server.greeted()
        try await client.send(Self.transaction)
        #expect(try await client.codes(3) == ["250", "250", "354"])
        try await client.send("one\r\n.\r\n" + Self.transaction)
        await house.until { $0.messages == 1 }
        house.release()
        #expect(try await client.codes(4) == ["250", "250", "250", "354"])
        await server.stop()
    }

    @Test("stops reading while the house is full, and loses nothing of it")
    func backPressure() async throws {
        let house = WatchedHouse(fullTimes: 5)
        let server = try await HouseServer(house: house)
        let client = try await server.greeted()
        try await client.send(Self.transaction)
        #expect(try await client.codes(3) == ["250", "250", "354"])
        let line = Array(String(repeating: "x", count: 998).utf8) + [13, 10]
        client.pour([13, 10])  // no header: what follows is text
        for _ in 0..<2_000 { client.pour(line) }
        client.pour(Array(".\r\n".utf8))
        #expect(try await client.codes(1) == ["250"])
        let seen = house.seen
        #expect(seen.content.count == 2_000_002)
        // What one read had brought is still handed over, and no more.
        #expect(seen.octetsWhileFull <= 5 * 8_192)
        await server.stop()
    }

    @Test("tells the house once that the client is gone, and drops the transaction first")
    func hangUp() async throws {
        let server = try await HouseServer()
        let client = try await server.greeted()
        try await client.send(Self.transaction)
        #expect(try await client.codes(3) == ["250", "250", "354"])
        try await client.send("half a mess")
        await client.hangUp()
        await server.house.until { $0.disconnected > 0 }
        #expect(server.house.seen.aborted == 1)
        #expect(server.house.seen.messages == 0)
        await server.server.drain(grace: .seconds(3_600))
        #expect(server.house.seen.disconnected == 1)
        #expect(server.server.sessionCount == 0)
        await server.stop()
    }

    @Test("hangs up on who talks before the greeting, where we are told to")
    func earlyTalker() async throws {
        // With PROXY the session begins behind the header, so what stands in the same packet is early for sure.
        for policy in [SessionOptions.EarlyTalkerPolicy.refuse, .allow] {
            let server = try await HouseServer {
                $0.earlyTalkers = policy
            } listener: {
                $0.proxyPeers = NetworkSet([Network("127.0.0.0/8")!])
            }
            let client = try await server.connect()
            try await client.send("PROXY TCP4 192.0.2.7 192.0.2.25 1234 25\r\nEHLO early.example.test\r\n")
            let expected = policy == .refuse ? ["554", "end"] : ["220", "250"]
            #expect(try await client.codes(2) == expected, "\(policy)")
            await server.stop()
        }
    }

    @Test("hears who has talked before the session could begin, and greets nobody who has")
    func talkWaitsInSocket() async throws {
        // The listener's loop is busy while the client connects and talks.
        let server = try await HouseServer()
        let gate = server.holdLoops()
        let client = try await server.connect()
        try await client.send("EHLO early.example.test\r\n")
        gate()
        #expect(try await client.reply() == "554 5.5.1 you talked before the greeting")
        #expect(try await client.reply() == nil)
        await server.stop()
    }

    @Test("says 421 to a client that says nothing, and closes")
    func silence() async throws {
        let server = try await HouseServer { $0.limits.commandTimeout = .milliseconds(50) }
        let client = try await server.connect()
        #expect(try await client.reply()?.hasPrefix("220 ") == true)
        #expect(try await client.reply() == "421 4.4.2 waited too long")
        #expect(try await client.reply() == nil)
        await server.stop()
    }
}

@Suite("A node that stops")
struct ServerDrainTests {
    @Test("says 421 4.3.2 to idle sessions and closes them")
    func idle() async throws {
        let server = try await HouseServer()
        let client = try await server.greeted()
        await server.server.drain(grace: .seconds(3_600))
        #expect(try await client.reply()?.hasPrefix("421 4.3.2 ") == true)
        #expect(try await client.reply() == nil)
        await server.stop()
    }

    @Test("lets a transaction end, and says 421 4.3.2 at the command behind it")
    func transaction() async throws {
        let server = try await HouseServer()
        let client = try await server.greeted()
        #expect(try await client.ask("MAIL FROM:<a@example.org>")?.hasPrefix("250") == true)
        let drain = Task { await server.server.drain(grace: .seconds(3_600)) }
        let other = try await server.connect()
        // A second session hears it at once: the drain has reached both.
        while let reply = try await other.reply(), !reply.hasPrefix("421") {}
        try await client.send("RCPT TO:<b@example.test>\r\nDATA\r\n")
        #expect(try await client.codes(2) == ["250", "354"])
        try await client.send("one\r\n.\r\nMAIL FROM:<a@example.org>\r\n")
        #expect(try await client.codes(3) == ["250", "421", "end"])
        await drain.value
        #expect(server.house.seen.messages == 1)
        await server.stop()
    }

    @Test("cuts what has not ended when the grace is over")
    func grace() async throws {
        let server = try await HouseServer()
        let client = try await server.greeted()
        #expect(try await client.ask("MAIL FROM:<a@example.org>")?.hasPrefix("250") == true)
        await server.server.drain(grace: .milliseconds(50))
        #expect(server.server.sessionCount == 0)
        #expect(try await client.reply()?.hasPrefix("421 4.3.2 ") == true)
        #expect(try await client.reply() == nil)
        await server.stop()
    }
}
