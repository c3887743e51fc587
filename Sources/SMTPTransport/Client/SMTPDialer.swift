import MailValues
package import NIOCore
import NIOPosix
package import SMTPProtocol
import Synchronization

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

    /// On the event loop of the caller, if it runs on one of the group. A cancelled task's connection is closed at
    /// once, whatever it waited for: a host that greets us with an octet every ten seconds would hold it for minutes.
    package func dial(_ target: DialTarget) async throws(DialError) -> any ClientConnection {
        var target = target
        if tlsContext == nil && target.tls == .may { target.tls = .none }
        let session: OpenedSession
        let attempt = OpeningChannel()
        do {
            session = try await withTaskCancellationHandler {
                try await open(target, attempt).get()
            } onCancel: {
                attempt.giveUp()
            }
        } catch let error as DialError {
            throw error
        } catch {
            throw .notConnected(detail: FailureText.of(error))
        }
        return SMTPClientConnection(session, target: target, settings: settings)
    }

    private func open(
        _ target: DialTarget, _ attempt: OpeningChannel
    ) throws -> EventLoopFuture<OpenedSession> {
        let loop = group.any()
        let opening = loop.makePromise(of: OpenedSession.self)
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(settings.connectTimeout.wholeMilliseconds * 1_000_000))
            // Replies are short, and idle connections many.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2_048))
            .channelInitializer { [settings, tlsContext] channel in
                channel.eventLoop.makeCompletedFuture {
                    attempt.began(channel)
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

/// A channel on its way, which may be given up from any thread, before or after it exists.
private final class OpeningChannel: Sendable {
    private let state = Mutex((channel: (any Channel)?.none, isGivenUp: false))

    func began(_ channel: any Channel) {
        let isGivenUp = state.withLock { state in
            state.channel = channel
            return state.isGivenUp
        }
        if isGivenUp { close(channel) }
    }

    func giveUp() {
        let channel = state.withLock { state in
            state.isGivenUp = true
            return state.channel
        }
        if let channel { close(channel) }
    }

    /// Later than now: a channel that is being set up cannot be closed.
    private func close(_ channel: any Channel) {
        channel.eventLoop.execute { channel.close(promise: nil) }
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
