import AdminProtocol
import Hummingbird

/// `GET /v1/configuration/check`, `POST /v1/configuration/reload`.
struct ConfigurationRoutes {
    let backend: any AdminBackend

    func add(to routes: RouterGroup<AdminContext>) {
        let configuration = routes.group("configuration")
        configuration.get("check") { _, _ in .json(try await backend.checkConfiguration()) as Response }
        configuration.post("reload") { _, context in
            .json(try await backend.reloadConfiguration(by: context.knownCaller)) as Response
        }
    }
}
