import Cryptography
import MailValues
import NIOCore
import NIOPosix
import SMTPTransport
import Synchronization

/// A small SMTP server on loopback that answers by rule and remembers what it got.
final class ScriptedServer: Sendable {
    struct Behaviour: Sendable {
        var offers = ["PIPELINING", "8BITMIME"]
        /// The reply to a command that begins with this, instead of the usual one; nil: hang up without a
        /// word.
        var replies: [(command: String, reply: String?)] = []
        var tls: TLSServerContext?
        /// Whose password SCRAM asks for.
        var verifier: ScramVerifier?
        /// Says nothing at all.
        var isSilent = false
    }

    /// What one message arrived as, dots still doubled.
    struct Got: Sendable, Equatable {
        var commands: [String] = []
        var content: [UInt8] = []
        var connections = 0
        var closed = 0
        /// What came behind the last line and was no line itself.
        var leftOver: [UInt8] = []
    }

    private let channel: any Channel
    private let box: Box
    let port: UInt16

    init(_ behaviour: Behaviour = Behaviour(), group: any EventLoopGroup) async throws {
        let got = Box()
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptedHandler(behaviour, got))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = UInt16(channel.localAddress?.port ?? 0)
        box = got
    }

    var seen: Got { box.got.withLock { $0 } }

    /// Returns when every connection that there was has been closed by the other side.
    func untilClosed() async throws {
        while box.got.withLock({ $0.closed < $0.connections }) { await Task.yield() }
    }

    func stop() async throws { try await channel.close() }

    final class Box: Sendable {
        let got = Mutex(Got())
    }
}

private final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let behaviour: ScriptedServer.Behaviour
    private let box: ScriptedServer.Box
    private var buffer: [UInt8] = []
    /// What is taken of `buffer`.
    private var start = 0
    private var inData = false
    private var chunkLeft = 0
    private var chunkReply = ""
    private var isEncrypted = false
    private var scram: ScriptedScram?

    init(_ behaviour: ScriptedServer.Behaviour, _ box: ScriptedServer.Box) {
        self.behaviour = behaviour
        scram = behaviour.verifier.map(ScriptedScram.init)
        self.box = box
    }

    func channelActive(context: ChannelHandlerContext) {
        box.got.withLock { $0.connections += 1 }
        if !behaviour.isSilent { answer(context, "connect", "220 scripted") }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        buffer.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        while step(context) {}
        buffer.removeFirst(start)
        start = 0
    }

    func channelInactive(context: ChannelHandlerContext) {
        box.got.withLock { got in
            got.closed += 1
            got.leftOver += buffer
        }
    }

    private func step(_ context: ChannelHandlerContext) -> Bool {
        if chunkLeft > 0 {
            let taken = min(chunkLeft, buffer.count - start)
            keep(buffer[start..<start + taken])
            start += taken
            chunkLeft -= taken
            guard chunkLeft == 0 else { return false }
            answer(context, "BDAT", chunkReply)
            return true
        }
        guard let end = buffer[start...].firstIndex(of: 0x0A) else { return false }
        let line = Array(buffer[start...end])
        start = end + 1
        if inData {
            if line == Array(".\r\n".utf8) {
                inData = false
                answer(context, ".", "250 2.0.0 queued")
            } else {
                keep(line[...])
            }
            return true
        }
        take(context, String(decoding: line.dropLast(2), as: UTF8.self))
        return true
    }

    private func keep(_ octets: ArraySlice<UInt8>) { box.got.withLock { $0.content += octets } }

    private func take(_ context: ChannelHandlerContext, _ command: String) {
        if scram != nil, scram?.isRunning == true || command.hasPrefix("AUTH SCRAM-SHA-256 ") {
            answer(context, "AUTH", scram?.answer(command) ?? "")
            return
        }
        box.got.withLock { $0.commands.append(command) }
        let words = command.split(separator: " ")
        switch words.first {
        case "EHLO", "LHLO":
            let mechanisms = behaviour.verifier == nil ? [] : ["AUTH SCRAM-SHA-256"]
            let offers =
                behaviour.offers + mechanisms + (behaviour.tls != nil && !isEncrypted ? ["STARTTLS"] : [])
            let lines = (["scripted"] + offers).enumerated().map {
                "250\($0 == offers.count ? " " : "-")\($1)"
            }
            answer(context, command, lines.joined(separator: "\r\n"))
        case "DATA":
            inData = true
            answer(context, command, "354 go")
        case "BDAT":
            chunkLeft = words.count > 1 ? Int(words[1]) ?? 0 : 0
            chunkReply = "250 2.0.0 queued"
            if chunkLeft == 0 { answer(context, command, chunkReply) }
        case "STARTTLS":
            answer(context, command, "220 go")
            guard let tls = behaviour.tls else { return }
            isEncrypted = true
            try? context.pipeline.syncOperations.addHandler(TLSHandler(server: tls), position: .first)
        case "QUIT":
            answer(context, command, "221 bye")
            context.close(promise: nil)
        default: answer(context, command, "250 ok")
        }
    }

    private func answer(_ context: ChannelHandlerContext, _ command: String, _ usual: String) {
        let rule = behaviour.replies.first { command.hasPrefix($0.command) }
        guard let reply = rule.map(\.reply) ?? usual else {
            context.close(promise: nil)
            return
        }
        if rule != nil && !reply.hasPrefix("3") { inData = false }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply + "\r\n")), promise: nil)
    }
}
