import AdminProtocol
import Hummingbird

/// `POST` and `DELETE /v1/drain`, `POST /v1/store/<task>`, `GET /v1/selftest`.
struct MaintenanceRoutes {
    let backend: any AdminBackend

    func add(to routes: RouterGroup<AdminContext>) {
        routes.post("drain") { request, context in .json(try await drain(true, request, context)) as Response
        }
        routes.delete("drain") { request, context in
            .json(try await drain(false, request, context)) as Response
        }
        for task in StoreTask.allCases {
            routes.post(RouterPath("store/\(task.rawValue)")) { request, context in
                .json(try await store(task, request, context)) as Response
            }
        }
        routes.get("selftest") { _, _ in .json(try await backend.selftestFacts()) as Response }
    }

    private func drain(_ isOn: Bool, _ request: Request, _ context: AdminContext) async throws -> DrainAnswer
    {
        let reason = try Reason.checked(try await request.body(DrainRequest.self).reason)
        return try await backend.drain(isOn, reason: reason, by: try context.knownCaller)
    }

    private func store(
        _ task: StoreTask, _ request: Request, _ context: AdminContext
    ) async throws -> StoreTaskAnswer {
        let body = try await request.body(StoreTaskRequest.self)
        if task == .backup {
            guard let directory = body.directory, directory.hasPrefix("/") else {
                throw AdminProblem(
                    .badRequest, "a backup needs a directory",
                    advice: "an absolute path that does not exist yet")
            }
        }
        return try await backend.store(task, body, by: try context.knownCaller)
    }
}
