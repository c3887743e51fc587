package import MailValues
package import NIOCore
import NIOPosix
package import SMTPProtocol

/// What one listener is: whom it greets, and how.
package struct SMTPListenerSettings: Sendable {
    package enum TLSUse: Sendable, Equatable {
        /// Never offered, or offered as STARTTLS: the session's settings say.
        case onDemand
        /// From the first octet (RFC 8314 §3).
        case implicit
    }

    package var name: ListenerName
    package var tlsUse: TLSUse = .onDemand
    /// The certificates in force; a reload replaces them under running sessions.
    package var tls: TLSServerContextStore?
    /// Connections from these must begin with a PROXY header, and no others may (the header would be a
    /// command).
    package var proxyPeers: NetworkSet = NetworkSet()
    /// How long a proxy may take for its header.
    package var proxyHeaderTimeout: Duration = .seconds(10)
    package var receivers: any MailReceiverFactory
    /// The session settings for a client; asked once a session, and again after XCLIENT by the machine
    /// itself.
    package var session: @Sendable (ConnectionFacts) -> SessionSettings

    package init(
        name: ListenerName, receivers: any MailReceiverFactory,
        session: @escaping @Sendable (ConnectionFacts) -> SessionSettings
    ) {
        self.name = name
        self.receivers = receivers
        self.session = session
    }

    func session(for facts: ConnectionFacts) -> SessionSettings { session(facts) }
}

package enum ListenError: Error, Sendable, Equatable {
    /// The address is taken, not ours, or below 1024 without the capability; `detail` says which.
    case cannotBind(address: String, detail: String)
}

/// Listening sockets and all sessions that came through them.
package final class SMTPServer: Sendable {
    /// Octets of one read. What adapts itself to a great message stays great in every idle session.
    private static let readOctets = 8192

    private let group: any EventLoopGroup
    private let lanes: EventLoopLanes
    private let clock: @Sendable () -> Timestamp
    private let registry = SessionRegistry()
    private let sessionNumbers = SessionNumbers()

    package init(group: any EventLoopGroup, lanes: EventLoopLanes, clock: @escaping @Sendable () -> Timestamp)
    {
        self.group = group
        self.lanes = lanes
        self.clock = clock
    }

    package var sessionCount: Int { registry.count }

    /// Starts to accept on a bound socket.
    package func serve(
        _ socket: BoundSocket, _ settings: SMTPListenerSettings
    ) async throws(ListenError) -> OpenListener {
        let handle = socket.release()
        let spare = RestingSocket(duplicating: handle, address: socket.address, port: socket.port)
        do {
            let channel = try await bootstrap(settings).withBoundSocket(handle).get()
            return OpenListener(name: settings.name, channel: channel, spare: spare)
        } catch {
            spare?.rest()
            throw .cannotBind(address: "\(socket.address) port \(socket.port)", detail: "\(error)")
        }
    }

    private func bootstrap(_ settings: SMTPListenerSettings) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readOctets)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel, settings) }
            }
    }

    private func prepare(_ channel: any Channel, _ settings: SMTPListenerSettings) throws {
        guard let remote = channel.remoteAddress, let local = channel.localAddress,
            let client = IPAddress(remote), let own = IPAddress(local)
        else { throw ChannelError.unknownLocalAddress }
        let facts = ConnectionFacts(
            session: sessionNumbers.next(), client: client, clientPort: UInt16(remote.port ?? 0), local: own,
            localPort: UInt16(local.port ?? 0))
        if settings.proxyPeers.contains(client) {
            try channel.pipeline.syncOperations.addHandler(
                ProxyHeaderHandler(
                    facts: facts, timeout: settings.proxyHeaderTimeout
                ) { channel, facts, octetsWait in
                    try self.open(channel, settings, facts, octetsWait: octetsWait)
                })
        } else {
            try open(channel, settings, facts, octetsWait: false)
        }
    }

    /// Adds the handlers of the session itself, TLS before it where the listener has it from the start.
    private func open(
        _ channel: any Channel, _ settings: SMTPListenerSettings, _ facts: ConnectionFacts, octetsWait: Bool
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if settings.tlsUse == .implicit, let tls = settings.tls {
            try pipeline.addHandler(TLSHandler(server: tls.current))
        }
        try pipeline.addHandler(
            ServerHandler(
                facts: facts, listener: settings, lane: lanes.lane(of: channel.eventLoop), registry: registry,
                octetsWait: octetsWait, clock: clock))
    }

    /// After a drain, sessions may begin again.
    package func resume() { registry.resume() }

    /// Tells all sessions to end at their next command, waits, and cuts what is left after `grace`.
    package func drain(grace: Duration) async {
        registry.drain()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.registry.ended() }
            tasks.addTask {
                try? await Task.sleep(for: grace)
                if !Task.isCancelled { self.registry.cut() }
            }
            await tasks.next()
            tasks.cancelAll()
        }
        await registry.ended()
    }
}

/// A listening socket that accepts.
package struct OpenListener: Sendable {
    package let name: ListenerName
    private let channel: any Channel
    /// A second hold on the socket, by which it can rest.
    private let spare: RestingSocket?

    init(name: ListenerName, channel: any Channel, spare: RestingSocket?) {
        self.name = name
        self.channel = channel
        self.spare = spare
    }

    package var port: UInt16 { UInt16(channel.localAddress?.port ?? 0) }

    /// Accepts no more. The port stays ours for as long as the answer is kept; nil: it could not be kept.
    @discardableResult
    package func close() async -> RestingSocket? {
        try? await channel.close()
        spare?.rest()
        return spare
    }
}

extension IPAddress {
    /// Read from the octets of the C structure: this runs for every connection, and text would be made and
    /// parsed.
    init?(_ address: SocketAddress) {
        let offset: Int
        let count: Int
        switch address {
        case .v4: (offset, count) = (4, 4)
        case .v6: (offset, count) = (8, 16)
        case .unixDomainSocket: return nil
        }
        let octets = address.withSockAddr { pointer, length in
            Array(UnsafeRawBufferPointer(start: pointer, count: length)[offset..<(offset + count)])
        }
        self.init(octets: octets)
    }
}
