import MailValues
import NIOCore
import NIOPosix
import SMTPProtocol
import SMTPTransport
import Synchronization

/// A client that sends what a test says and hears replies.
final class Talker: Sendable {
    private let channel: any Channel
    private let ear: Ear

    init(port: UInt16, group: any EventLoopGroup) async throws {
        let ear = Ear()
        self.ear = ear
        channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EarHandler(ear))
                }
            }
            .connect(host: "127.0.0.1", port: Int(port)).get()
    }

    /// Sends these octets; one write on the socket.
    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: octets)).get()
    }

    /// Sends without waiting for room in the socket, and without minding whether it arrives.
    func pour(_ octets: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: octets), promise: nil) }

    /// The next reply, of one line or more; nil: the connection has ended.
    func reply() async throws -> String? {
        var lines: [String] = []
        while let line = await ear.line() {  // ends: so does the connection
            lines.append(line)
            if line.utf8.dropFirst(3).first != UInt8(ascii: "-") { return lines.joined(separator: "\n") }
        }
        return nil
    }

    func ask(_ command: String) async throws -> String? {
        try await send(command + "\r\n")
        return try await reply()
    }

    /// The codes of the next replies.
    func codes(_ count: Int) async throws -> [String] {
        var codes: [String] = []
        for _ in 0..<count { codes.append(String(try await reply()?.prefix(3) ?? "end")) }
        return codes
    }

    func startTLS() async throws -> TLSFacts {
        let handshake = channel.eventLoop.makePromise(of: TLSFacts.self)
        let context = try TLSClientContext.fixture()
        try await channel.eventLoop.submit { [channel] in
            do {
                try channel.pipeline.syncOperations.addHandler(
                    TLSHandler(
                        client: context, serverName: "mx.example.test",
                        mode: .verify(names: ["mx.example.test"]), handshake: handshake), position: .first)
            } catch {
                // The server hung up meanwhile; nobody else would keep the promise.
                handshake.fail(error)
                throw error
            }
        }.get()
        return try await handshake.futureResult.get()
    }

    func hangUp() async { try? await channel.close() }
}

/// What was heard and is not asked for yet.
private final class Ear: Sendable {
    private struct State {
        var octets: [UInt8] = []
        var hasEnded = false
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func hear(_ octets: some Sequence<UInt8>) { change { $0.octets += octets } }
    func end() { change { $0.hasEnded = true } }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Without its end; nil when no more will come.
    func line() async -> String? {
        while true {  // ends: a line comes, or the end
            let (line, hasEnded) = state.withLock { state -> (String?, Bool) in
                guard let end = state.octets.firstIndex(of: 0x0A) else { return (nil, state.hasEnded) }
                let line = String(decoding: state.octets[..<end].filter { $0 != 0x0D }, as: UTF8.self)
                state.octets.removeFirst(end + 1)
                return (line, false)
            }
            if line != nil || hasEnded { return line }
            await withCheckedContinuation { continuation in
                let isNews = state.withLock { state in
                    if state.hasEnded || state.octets.contains(0x0A) { return true }
                    state.waiter = continuation
                    return false
                }
                if isNews { continuation.resume() }
            }
        }
    }
}

private final class EarHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let ear: Ear
    init(_ ear: Ear) { self.ear = ear }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        ear.hear(unwrapInboundIn(data).readableBytesView)
    }
    func channelInactive(context: ChannelHandlerContext) { ear.end() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
