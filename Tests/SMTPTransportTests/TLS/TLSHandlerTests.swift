import NIOCore
import NIOEmbedded
import SMTPProtocol
import TestSupport
import Testing

@testable import SMTPTransport

@Suite struct TLSHandlerTests {
    @Test("both sides agree on the facts, and on the value that binds a login to the connection")
    func agrees() throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        try pair.carry()
        let client = try #require(pair.clientFacts)
        let server = try #require(pair.serverFacts)
        #expect(client.version == "TLSv1.3")
        #expect(server.version == "TLSv1.3")
        #expect(client.cipher == server.cipher)
        #expect(client.exporter.count == 32)
        #expect(client.exporter == server.exporter)
        #expect(server.serverName == "mx.example.test")
        #expect(server.peerFingerprint == nil)
        #expect(client.peerFingerprint?.count == 64)
        #expect(pair.clientSeen.completions == 1 && pair.serverSeen.completions == 1)
        pair.finish()
    }

    @Test("two connections have different values to bind a login to")
    func exporterIsUnique() throws {
        let (server, client) = (try TLSServerContext.fixture(), try TLSClientContext.fixture())
        let pairs = try (0..<2).map { _ in try TLSPair(server: server, client: client) }
        for pair in pairs { try pair.carry() }
        #expect(pairs[0].serverFacts?.exporter != pairs[1].serverFacts?.exporter)
        for pair in pairs { pair.finish() }
    }

    @Test("octets pass both ways whole, however the wire cuts them", arguments: [1, 2, 5, 100, 8_192, .max])
    func passes(slice: Int) throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        let body = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        // Written before the handshake: it waits for it.
        pair.client.writeAndFlush(ByteBuffer(bytes: body), promise: nil)
        try pair.carry(slice: slice)
        #expect(pair.serverSeen.octets == body)
        pair.server.writeAndFlush(ByteBuffer(bytes: body), promise: nil)
        try pair.carry(slice: slice)
        #expect(pair.clientSeen.octets == body)
        #expect(pair.clientSeen.errors.isEmpty && pair.serverSeen.errors.isEmpty)
        pair.finish()
    }

    @Test("one flush is one write on the wire, and every promise of it is kept")
    func flushesOnce() throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        try pair.carry()
        let written = (0..<10).map { _ in pair.server.write(ByteBuffer(repeating: 0x61, count: 5_000)) }
        #expect(try pair.server.readOutbound(as: ByteBuffer.self) == nil)
        pair.server.flush()
        let wire = try #require(try pair.server.readOutbound(as: ByteBuffer.self))
        #expect(try pair.server.readOutbound(as: ByteBuffer.self) == nil)
        #expect(wire.readableBytes > 50_000 && wire.readableBytes < 50_300)
        for future in written { try future.wait() }
        pair.finish()
    }

    @Test("what is not flushed is not sent")
    func keepsUntilFlush() throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        pair.client.write(ByteBuffer(string: "early"), promise: nil)
        try pair.carry()
        #expect(pair.serverFacts != nil)
        #expect(pair.serverSeen.octets.isEmpty)
        pair.client.flush()
        try pair.carry()
        #expect(pair.serverSeen.octets == Array("early".utf8))
        pair.finish()
    }

    @Test("closing says so to the peer, which closes too")
    func closes() throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        try pair.carry()
        pair.client.write(ByteBuffer(string: "QUIT\r\n"), promise: nil)
        pair.client.flush()
        pair.client.close(promise: nil)
        try pair.carry()
        #expect(pair.serverSeen.octets == Array("QUIT\r\n".utf8))
        #expect(pair.serverSeen.errors.isEmpty)
        #expect(pair.serverSeen.isClosed)
        pair.finish()
    }

    @Test("plain text in place of a handshake fails it, with an alert and without a crash")
    func refusesPlainText() throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        _ = try pair.client.readOutbound(as: ByteBuffer.self)
        _ = try? pair.server.writeInbound(ByteBuffer(string: "EHLO client.example.test\r\n"))
        #expect(pair.serverFacts == nil)
        #expect(pair.serverSeen.errors.count == 1)
        #expect(pair.serverSeen.isClosed)
        pair.finish()
    }

    @Test("a record that was tampered with ends the session and delivers nothing")
    func refusesForgery() throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        try pair.carry()
        pair.client.writeAndFlush(ByteBuffer(string: "MAIL FROM:<>\r\n"), promise: nil)
        var wire = try #require(try pair.client.readOutbound(as: ByteBuffer.self))
        wire.setInteger(
            wire.getInteger(at: wire.readerIndex + 9, as: UInt8.self)! ^ 1, at: wire.readerIndex + 9)
        _ = try? pair.server.writeInbound(wire)
        #expect(pair.serverSeen.octets.isEmpty)
        #expect(pair.serverSeen.errors.count == 1)
        #expect(pair.serverSeen.isClosed)
        pair.finish()
    }

    @Test("a connection lost in the middle of the handshake fails it")
    func losesConnection() throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        pair.client.pipeline.fireChannelInactive()
        #expect(throws: TLSError.connectionLost) { try pair.clientOutcome?.get() }
        pair.finish()
    }

    @Test("random octets at any moment never crash a server", arguments: 0..<200 as Range<UInt64>)
    func survivesNoise(seed: UInt64) throws {
        let pair = try TLSPair(server: .fixture(), client: .fixture())
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        if next() % 2 == 0 { try pair.carry() }
        pair.client.writeAndFlush(ByteBuffer(string: "NOOP\r\n"), promise: nil)
        while var wire = try pair.client.readOutbound(as: ByteBuffer.self) {
            for _ in 0...(next() % 3) {
                let index = wire.readerIndex + Int(next() % UInt64(wire.readableBytes))
                wire.setInteger(UInt8(truncatingIfNeeded: next() >> 9), at: index)
            }
            _ = try? pair.server.writeInbound(wire)
        }
        let seen = pair.serverSeen.octets
        #expect(seen.isEmpty || seen == Array("NOOP\r\n".utf8))
        pair.finish()
    }
}
