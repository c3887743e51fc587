import AdminProtocol
import Hummingbird

/// `GET /v1/version`, `GET /v1/status`, `GET /v1/metrics`.
struct StatusRoutes {
    let backend: any AdminBackend

    func add(to routes: RouterGroup<AdminContext>) {
        routes.get("version") { _, _ in .json(await backend.version()) as Response }
        routes.get("status") { _, _ in .json(try await backend.status()) as Response }
        routes.get("metrics") { _, _ in
            .text(await backend.metrics(), type: MetricsServer.contentType) as Response
        }
    }
}
