package import AdminProtocol
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// The page for Prometheus and the answers for orchestrators, on a port that serves nothing else.
package final class MetricsServer: Service {
    package struct Settings: Sendable {
        package var host: String
        package var port: Int
        /// Connections at a time; more wait in the kernel's queue.
        package var connections = 64
        package var idleTimeout: Duration = .seconds(30)

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    package enum Failure: Error, Sendable, Equatable {
        /// Taken, not ours, or below 1024 without the capability.
        case cannotListen(address: String, reason: String)
        case stopped(detail: String)
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let settings: Settings
    private let source: any HealthSource
    private let onRunning: @Sendable (_ port: Int) async -> Void

    /// `onRunning` hears of the port in use, which the system chose if the settings say 0.
    package init(
        _ settings: Settings, source: any HealthSource,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.settings = settings
        self.source = source
        self.onRunning = onRunning
    }

    /// Serves until the task is cancelled; then requests in hand end first.
    package func run() async throws {
        let application = Application(
            router: router(),
            server: .http1(
                configuration: .init(idleTimeout: .seconds(settings.idleTimeout.components.seconds))),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connections)),
            onServerRunning: { [onRunning] channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: .silent)
        do { try await runUntilCancelled(application) } catch { throw failure(error) }
    }

    private func failure(_ error: any Error) -> Failure {
        guard let error = error as? IOError else { return .stopped(detail: "\(error)") }
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        return .cannotListen(
            address: "\(host):\(settings.port)", reason: SocketFile.words(for: error.errnoCode))
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("metrics") { [source] _, _ in
            .text(await source.metrics(), type: Self.contentType) as Response
        }
        router.get("healthz/live") { [source] _, _ in
            await source.isLive()
                ? .text("ok\n") : .text("not live\n", status: .serviceUnavailable) as Response
        }
        router.get("healthz/ready") { [source] _, _ in
            guard let why = await source.unreadiness() else { return .text("ok\n") as Response }
            return .text("\(why)\n", status: .serviceUnavailable) as Response
        }
        return router
    }
}

extension MetricsServer.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotListen(let address, let reason):
            "cannot listen at \(address): \(reason); free it, or set `admin.metrics`"
        case .stopped(let detail): "the metrics page is closed: \(detail)"
        }
    }
}
