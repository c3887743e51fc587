import AdminProtocol
import Hummingbird

/// `/v1/cluster/…`, `/v1/leave`, `/v1/blocks`, `/v1/verdicts`, `/v1/reputation`.
struct ClusterRoutes {
    let backend: any ClusterBackend

    func add(to routes: RouterGroup<AdminContext>) {
        let cluster = routes.group("cluster")
        cluster.get { _, _ in .json(try await backend.clusterFacts()) as Response }
        cluster.get("members") { _, _ in .json(try await backend.members()) as Response }
        cluster.get("mark") { request, _ in
            .json(try await backend.mark(of: try request.parameter("node"))) as Response
        }
        cluster.get("can-stop") { _, _ in .json(try await backend.canStop()) as Response }
        cluster.get("doctor") { _, _ in .json(try await backend.doctor()) as Response }
        cluster.post("init") { request, context in
            let body = try await request.body(FoundRequest.self)
            return .json(try await backend.found(body, by: try context.knownCaller)) as Response
        }
        cluster.post("door") { request, context in
            let body = try await request.body(DoorRequest.self)
            guard (1...AdminAPI.doorSecondsLongest).contains(body.seconds) else {
                throw AdminProblem(
                    .badRequest, "a door cannot be open for \(body.seconds) s",
                    advice: "from 1 to \(AdminAPI.doorSecondsLongest)")
            }
            return .json(try await backend.openDoor(body, by: try context.knownCaller)) as Response
        }
        cluster.post("join") { request, context in
            let body = try await request.body(JoinRequestBody.self)
            return .json(try await backend.join(body, by: try context.knownCaller)) as Response
        }
        cluster.post("orders") { request, context in
            let body = try await request.body(OrderRequest.self)
            return .json(try await backend.obey(body, by: try context.knownCaller)) as Response
        }
        cluster.post("link-key") { _, context in
            .json(try await backend.rotateLinkKey(by: try context.knownCaller)) as Response
        }
        addLeaving(to: routes)
        addShared(to: routes)
    }

    private func addLeaving(to routes: RouterGroup<AdminContext>) {
        routes.get("leave") { _, _ in .json(try await backend.leaveProgress()) as Response }
        routes.post("leave") { request, context in
            .json(try await leave(true, request, context)) as Response
        }
        routes.delete("leave") { request, context in
            .json(try await leave(false, request, context)) as Response
        }
    }

    private func leave(
        _ isOn: Bool, _ request: Request, _ context: AdminContext
    ) async throws -> LeaveProgress {
        let reason = try Reason.checked(try await request.body(LeaveRequest.self).reason)
        return try await backend.leave(isOn, reason: reason, by: try context.knownCaller)
    }

    private func addShared(to routes: RouterGroup<AdminContext>) {
        routes.get("blocks") { _, _ in .json(try await backend.blocks()) as Response }
        routes.get("verdicts") { request, _ in
            let one = request.queryPairs.first { $0.name == "fingerprint" }?.value
            return .json(try await backend.verdicts(one)) as Response
        }
        routes.get("reputation") { request, _ in
            .json(try await backend.reputation(of: try request.parameter("subject"))) as Response
        }
    }
}

extension Request {
    /// A parameter of the query that must be there.
    fileprivate func parameter(_ name: String) throws(AdminProblem) -> String {
        guard let value = queryPairs.first(where: { $0.name == name })?.value, !value.isEmpty else {
            throw AdminProblem(.badRequest, "\(name) is missing", advice: "?\(name)=…")
        }
        return value
    }
}
