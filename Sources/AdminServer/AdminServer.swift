package import AdminProtocol
import Glibc
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The operator's door: HTTP over a Unix socket, which only its group may open.
///
/// Who comes in is asked of the kernel (SO_PEERCRED), never of the client.
package final class AdminServer: Service {
    package struct Settings: Sendable {
        package var path: String
        /// The group that may open the socket; nil: that of the process.
        package var group: String?
        package var mode: UInt32 = 0o660
        /// Users who may read what is in messages: a right apart from managing them.
        package var rawReaders: Set<UInt32> = [0]
        /// Silence after which a client is hung up on.
        package var idleTimeout: Duration = .seconds(60)
        package init(path: String = AdminAPI.socketPath) { self.path = path }
    }

    package enum Failure: Error, Sendable, Equatable {
        /// Somebody answers there.
        case alreadyServed(path: String)
        case notASocket(path: String)
        case noSuchGroup(String)
        /// The socket could not be given to those who may open it.
        case notPermitted(path: String, reason: String)
        case cannotListen(path: String, reason: String)
        case stopped(detail: String)
    }

    private let settings: Settings
    private let backend: any AdminBackend
    private let cluster: (any ClusterBackend)?
    private let onRunning: @Sendable () async -> Void
    private let failure = Mutex<Failure?>(nil)

    /// `onRunning` is called once clients can come in.
    package init(
        _ settings: Settings, backend: any AdminBackend, cluster: (any ClusterBackend)? = nil,
        onRunning: @escaping @Sendable () async -> Void = {}
    ) {
        self.settings = settings
        self.backend = backend
        self.cluster = cluster
        self.onRunning = onRunning
    }

    /// Serves until the task is cancelled; then requests in hand end first.
    package func run() async throws {
        let group = try settings.group.map { try SocketFile.groupID($0) }
        try SocketFile.clear(settings.path)
        defer { unlink(settings.path) }
        let application = Application(
            router: router(),
            server: .http1(
                configuration: .init(idleTimeout: .seconds(settings.idleTimeout.components.seconds))),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: settings.path)),
            onServerRunning: { [self] channel in await admit(group: group, channel) },
            logger: .silent)
        do {
            try await runUntilCancelled(application)
        } catch {
            throw failure.withLock { $0 } ?? Self.failure(error, at: settings.path)
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// Until now the process's umask, 077 in a node, has kept everybody out.
    private func admit(group: UInt32?, _ channel: any Channel) async {
        do {
            try SocketFile.admit(settings.path, group: group, mode: settings.mode)
            await onRunning()
        } catch {
            failure.withLock { $0 = error }
            try? await channel.close()
        }
    }

    private static func failure(_ error: any Error, at path: String) -> Failure {
        switch error {
        case let error as IOError:
            .cannotListen(path: path, reason: SocketFile.words(for: error.errnoCode))
        case SocketAddressError.unixDomainSocketPathTooLong:
            .cannotListen(path: path, reason: "the path is too long for a socket")
        default: .stopped(detail: "\(error)")
        }
    }

    private func router() -> Router<AdminContext> {
        let router = Router(context: AdminContext.self)
        router.middlewares.add(CallerMiddleware())
        router.middlewares.add(ProblemMiddleware())
        let routes = router.group(RouterPath(AdminAPI.root))
        StatusRoutes(backend: backend).add(to: routes)
        QueueRoutes(backend: backend).add(to: routes)
        RawRoutes(backend: backend, readers: settings.rawReaders).add(to: routes)
        ExplainRoutes(backend: backend).add(to: routes)
        ConfigurationRoutes(backend: backend).add(to: routes)
        MaintenanceRoutes(backend: backend).add(to: routes)
        if let cluster { ClusterRoutes(backend: cluster).add(to: routes) }
        return router
    }
}

extension AdminServer.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .alreadyServed(let path):
            "another process answers at \(path): end it, or set `admin.socket`"
        case .notASocket(let path):
            "\(path) is there and is no socket: move it away, or set `admin.socket`"
        case .noSuchGroup(let name):
            "there is no group \(name): create it, or set `admin.group`"
        case .notPermitted(let path, let reason):
            "\(path) cannot be given to the group that may open it (\(reason)): put the user of the node into "
                + "that group, or set `admin.group`"
        case .cannotListen(let path, let reason):
            "cannot listen at \(path): \(reason); give its folder to the user of the node, or set `admin.socket`"
        case .stopped(let detail): "the admin socket is closed: \(detail)"
        }
    }
}

extension Logger {
    /// What a library says of its clients' bad manners is nobody's business.
    static var silent: Logger { Logger(label: "chappe.http", factory: { _ in SwiftLogNoOpLogHandler() }) }
}
