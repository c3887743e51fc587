import MailValues
import NIOCore
import SMTPProtocol

/// Reads the PROXY header that a listed peer sends first, then makes way for the session with the client's
/// address.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let facts: ConnectionFacts
    private let timeout: Duration
    /// Told the client that the proxy speaks for, and whether octets of its own came with the header.
    private let open: (any Channel, ConnectionFacts, Bool) throws -> Void
    private var received: [UInt8] = []
    private var timer: Scheduled<Void>?

    init(
        facts: ConnectionFacts, timeout: Duration,
        open: @escaping (any Channel, ConnectionFacts, Bool) throws -> Void
    ) {
        self.facts = facts
        self.timeout = timeout
        self.open = open
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: .milliseconds(timeout.wholeMilliseconds)) {
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.append(contentsOf: Self.unwrapInboundIn(data).readableBytesView)
        switch received.withUnsafeBytes({ ProxyHeader.parse($0) }) {
        case .incomplete:
            return
        case .invalid:
            // RFC 5321 has no words for this; a proxy that we trust and that talks nonsense is cut off.
            context.close(promise: nil)
        case .header(let header, let length):
            proceed(context, header, rest: received[length...])
        }
    }

    private func proceed(_ context: ChannelHandlerContext, _ header: ProxyHeader, rest: ArraySlice<UInt8>) {
        var known = facts
        known.proxy = facts.client
        if let endpoints = header.endpoints {
            known.client = endpoints.source
            known.clientPort = endpoints.sourcePort
            known.local = endpoints.destination
            known.localPort = endpoints.destinationPort
        } else {
            known.isHealthCheck = true
        }
        do {
            try open(context.channel, known, !rest.isEmpty)
        } catch {
            context.close(promise: nil)
            return
        }
        if !rest.isEmpty {
            context.fireChannelRead(Self.wrapInboundOut(context.channel.allocator.buffer(bytes: rest)))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
