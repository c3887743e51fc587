import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import SMTPTransport

@Suite("What a session says")
struct SessionOutputTests {
    /// Says what it is told on a connection of its own.
    private final class Mouth: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let output = SessionOutput()
        private var context: ChannelHandlerContext?

        func channelActive(context: ChannelHandlerContext) {
            self.context = context
            output.begin(context, isPlain: true)
        }

        func say(_ octets: [UInt8]) {
            guard let context else { return }
            octets.withUnsafeBytes { output.write($0, context) }
        }
    }

    /// What came, and who waits for so much of it.
    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let state = Mutex(
            (heard: [UInt8](), wanted: 0, waiting: CheckedContinuation<[UInt8], Never>?.none))

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let octets = Self.unwrapInboundIn(data)
            change { $0.heard += octets.readableBytesView }
        }

        func heard(_ count: Int) async -> [UInt8] {
            await withCheckedContinuation { continuation in
                change { state in
                    state.wanted = count
                    state.waiting = continuation
                }
            }
        }

        private func change(
            _ body: (inout (heard: [UInt8], wanted: Int, waiting: CheckedContinuation<[UInt8], Never>?)) ->
                Void
        ) {
            let (waiting, heard) = state.withLock { state in
                body(&state)
                let isEnough = state.heard.count >= state.wanted
                defer { if isEnough { state.waiting = nil } }
                return (isEnough ? state.waiting : nil, state.heard)
            }
            waiting?.resume(returning: heard)
        }
    }

    @Test("arrives whole and in order, though the socket takes no more for a while")
    func order() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let ear = Ear()
        let accepted = group.next().makePromise(of: (any Channel).self)
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ear)
                    accepted.succeed(channel)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Mouth())
                }
            }
            .connect(to: try #require(server.localAddress)).get()
        let peer = try await accepted.futureResult.get()

        let first = (0..<4_000).map { number in
            [UInt8](repeating: UInt8(number % 251), count: 4_096 + number % 7)
        }
        let kept = try await client.eventLoop.submit {
            let mouth = try client.pipeline.syncOperations.handler(type: Mouth.self)
            for line in first { mouth.say(line) }
            return mouth.output.writesInChannel
        }.get()
        #expect(kept > 0, "sixteen million octets are more than two sockets hold")
        try await peer.setOption(.autoRead, value: true).get()
        let all = first.flatMap { $0 }
        #expect(await ear.heard(all.count) == all)

        // The channel has nothing left in hand, and the socket is spoken to again.
        let last = Array("and this\r\n".utf8)
        let (before, after) = try await client.eventLoop.submit {
            let mouth = try client.pipeline.syncOperations.handler(type: Mouth.self)
            let before = mouth.output.writesInChannel
            mouth.say(last)
            return (before, mouth.output.writesInChannel)
        }.get()
        #expect(before == 0 && after == 0)
        #expect(await ear.heard(all.count + last.count) == all + last)
        try await client.close().get()
        try await server.close().get()
    }
}
