import MailValues
import NIOCore
import NIOPosix
import SMTPProtocol
import SMTPTransport
import TestSupport
import Testing

@Suite("A listener that rests")
struct RestingSocketTests {
    @Test("refuses clients while it rests, keeps its port, and greets them again")
    func restAndResume() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = SMTPServer(group: group, lanes: EventLoopLanes(group)) { Timestamp(milliseconds: 0) }
        let session = SessionSettings(SessionOptions(hostname: Domain("mx.example.test")))
        let settings = SMTPListenerSettings(name: "mx", receivers: WatchedHouse()) { _ in session }
        let loopback = IPAddress("127.0.0.1")!
        // A port that the system chose is lost at rest, so one that is free is named.
        let probe = try await server.serve(BoundSocket(address: loopback, port: 0), settings)
        let port = probe.port
        await probe.close()
        let listener = try await server.serve(BoundSocket(address: loopback, port: port), settings)
        let resting = try #require(await listener.close())
        await #expect(throws: (any Error).self) { _ = try await Talker(port: port, group: group) }
        #expect(throws: ListenError.self) { _ = try BoundSocket(address: loopback, port: port) }
        let again = try await server.serve(resting.resume(), settings)
        #expect(again.port == port)
        let client = try await Talker(port: port, group: group)
        #expect(try await client.reply()?.hasPrefix("220") == true)
        await again.close()
    }

    @Test("a drain that was taken back lets sessions begin, and cuts none of them when its grace is over")
    func drainTakenBack() async throws {
        let server = try await HouseServer()
        let old = try await server.greeted()
        #expect(try await old.ask("MAIL FROM:<a@example.org>")?.hasPrefix("250") == true)
        let drain = Task { await server.server.drain(grace: .seconds(3_600)) }
        let other = try await server.connect()
        while let reply = try await other.reply(), !reply.hasPrefix("421") {}
        server.server.resume()
        await drain.value
        let new = try await server.greeted()
        #expect(try await new.ask("NOOP")?.hasPrefix("250") == true)
        await server.stop()
    }
}
