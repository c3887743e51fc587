import MailValues
import NIOCore
import NIOEmbedded
import SMTPProtocol
import TestSupport

@testable import SMTPTransport

/// A client and a server with a wire between them that this test carries by hand.
final class TLSPair {
    let client: EmbeddedChannel
    let server: EmbeddedChannel
    /// Reads that arrived, decrypted.
    let clientSeen = Seen()
    let serverSeen = Seen()
    private(set) var clientOutcome: Result<TLSFacts, any Error>?
    private(set) var serverOutcome: Result<TLSFacts, any Error>?

    /// What came out of the handler: octets, events, errors.
    final class Seen: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var octets: [UInt8] = []
        var completions = 0
        var errors: [TLSError] = []
        var isClosed = false

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            octets.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is TLSHandshakeCompleted { completions += 1 }
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TLSError { errors.append(error) }
        }
        func channelInactive(context: ChannelHandlerContext) { isClosed = true }
    }

    init(
        server serverContext: TLSServerContext, client clientContext: TLSClientContext,
        name: String = "mx.example.test", mode: DialTarget.TLSMode = .may
    ) throws {
        client = EmbeddedChannel()
        server = EmbeddedChannel()
        for channel in [client, server] {
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 25)).wait()
        }
        let clientPromise = client.eventLoop.makePromise(of: TLSFacts.self)
        let serverPromise = server.eventLoop.makePromise(of: TLSFacts.self)
        clientPromise.futureResult.assumeIsolated().whenComplete { [unowned self] in clientOutcome = $0 }
        serverPromise.futureResult.assumeIsolated().whenComplete { [unowned self] in serverOutcome = $0 }
        try server.pipeline.syncOperations.addHandlers([
            TLSHandler(server: serverContext, handshake: serverPromise), serverSeen,
        ])
        try client.pipeline.syncOperations.addHandlers([
            TLSHandler(client: clientContext, serverName: name, mode: mode, handshake: clientPromise),
            clientSeen,
        ])
    }

    /// Carries octets until both are silent; `slice` at a time.
    func carry(slice: Int = .max) throws {
        var moved = true
        while moved {
            moved = false
            while var octets = try client.readOutbound(as: ByteBuffer.self) {
                moved = true
                while let piece = octets.readSlice(length: min(slice, octets.readableBytes)),
                    piece.readableBytes > 0
                {
                    _ = try? server.writeInbound(piece)
                }
            }
            while var octets = try server.readOutbound(as: ByteBuffer.self) {
                moved = true
                while let piece = octets.readSlice(length: min(slice, octets.readableBytes)),
                    piece.readableBytes > 0
                {
                    _ = try? client.writeInbound(piece)
                }
            }
        }
    }

    func finish() {
        _ = try? client.finish(acceptAlreadyClosed: true)
        _ = try? server.finish(acceptAlreadyClosed: true)
    }

    var clientFacts: TLSFacts? { try? clientOutcome?.get() }
    var serverFacts: TLSFacts? { try? serverOutcome?.get() }
}

extension TLSFixtures.Identity {
    var identity: TLSIdentity {
        TLSIdentity(certificate: Array(certificate.utf8), key: Array(key.utf8), name: "fixture")
    }
}

extension TLSServerContext {
    static func fixture(
        _ identities: [TLSFixtures.Identity] = [TLSFixtures.host], oldest: TLSVersion = .v12,
        clients: TLSServerSettings.ClientCertificates = .notAsked
    ) throws -> TLSServerContext {
        try TLSServerContext(
            settings: TLSServerSettings(
                identities: identities.map(\.identity), oldestVersion: oldest, clientCertificates: clients))
    }
}

extension TLSClientContext {
    static func fixture(identity: TLSFixtures.Identity? = nil) throws -> TLSClientContext {
        try TLSClientContext(
            settings: TLSClientSettings(
                authorities: .only(Array(TLSFixtures.authority.utf8)), identity: identity?.identity))
    }
}
