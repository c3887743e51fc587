import MailValues
package import NIOCore
import NIOPosix
package import SMTPProtocol

/// Opens sessions with next hops over TCP.
package final class SMTPDialer: Dialer {
    private let group: any EventLoopGroup
    private let tlsContext: TLSClientContext?
    private let settings: DialerSettings

    /// `clientTLS` nil: TLS is never spoken, and a target that demands it is not reached.
    package init(
        group: any EventLoopGroup, clientTLS: TLSClientContext?, settings: DialerSettings = DialerSettings()
    ) {
        self.group = group
        tlsContext = clientTLS
        self.settings = settings
    }

    /// On the event loop of the caller, if it runs on one of the group.
    package func dial(_ target: DialTarget) async throws(DialError) -> any ClientConnection {
        var target = target
        if tlsContext == nil && target.tls == .may { target.tls = .none }
        let session: OpenedSession
        do {
            session = try await open(target).get()
        } catch let error as DialError {
            throw error
        } catch {
            throw .notConnected(detail: FailureText.of(error))
        }
        return SMTPClientConnection(session, target: target, settings: settings)
    }

    private func open(_ target: DialTarget) throws -> EventLoopFuture<OpenedSession> {
        let loop = group.any()
        let opening = loop.makePromise(of: OpenedSession.self)
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(settings.connectTimeout.wholeMilliseconds * 1_000_000))
            // Replies are short, and idle connections many.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2_048))
            .channelInitializer { [settings, tlsContext] channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ClientHandler(
                        target: target, settings: settings, tlsContext: tlsContext, opening: opening)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        let address: SocketAddress
        do {
            address = try SocketAddress(target.address, port: target.port)
            if let source = target.source {
                bootstrap = bootstrap.bind(to: try SocketAddress(source, port: 0))
                    // The port is chosen when the destination is known, so that one source reaches every host
                    // 28,000 times.
                    .channelOption(.ipOption(.bindAddressNoPort), value: 1)
            }
        } catch {
            opening.fail(error)
            return opening.futureResult
        }
        bootstrap.connect(to: address).whenFailure { error in
            opening.fail(DialError.notConnected(detail: FailureText.of(error)))
        }
        return opening.futureResult
    }
}

extension SocketAddress {
    fileprivate init(_ address: IPAddress, port: UInt16) throws {
        try self.init(packedIPAddress: ByteBuffer(bytes: address.octets), port: Int(port))
    }
}

extension NIOBSDSocket.Option {
    /// IP_BIND_ADDRESS_NO_PORT of ip(7).
    fileprivate static let bindAddressNoPort = NIOBSDSocket.Option(rawValue: 24)
}
