import AdminClient
import AdminProtocol
import AdminSupport
import Glibc
import Testing

private let me = "operator:\(getuid())"

private func cluster() -> FakeCluster {
    FakeCluster(
        cluster: String(repeating: "0", count: 32), operatorKey: nil, node: String(repeating: "a", count: 64),
        others: [String(repeating: "b", count: 64)])
}

private func codeOf(_ body: () throws -> Void) -> AdminProblem.Code? {
    do {
        try body()
        return nil
    } catch let failure as AdminClient.Failure {
        guard case .problem(let problem) = failure else { return .internalError }
        return problem.code
    } catch {
        return .internalError
    }
}

@Suite("The admin socket, about the cluster")
struct ClusterRouteTests {
    private struct Empty: Encodable {}

    @Test("carries each command to the node with who asks")
    func carries() async throws {
        let cluster = cluster()
        cluster.with { state in
            state.leaving = [
                LeaveProgress(
                    phase: .giving, messages: 1, handedOver: 0, delivered: 0, bounced: 0, waiting: 1,
                    heirs: [],
                    obstacle: nil)
            ]
        }
        try await AdminHarness.serving(FakeBackend(), cluster: cluster) { client in
            _ =
                try client.send(FoundRequest(token: "t", name: "n", address: nil), to: "cluster/init")
                as MemberList
            _ = try client.send(DoorRequest(seconds: 60), to: "cluster/door") as DoorAnswer
            _ =
                try client.send(
                    JoinRequestBody(host: "192.0.2.1", port: 7948, token: "t", name: nil, address: nil),
                    to: "cluster/join") as MemberList
            _ = try client.send(OrderRequest(order: "AA=="), to: "cluster/orders") as OrderAnswer
            _ = try client.send(Empty(), to: "cluster/link-key") as RotationAnswer
            _ = try client.send(LeaveRequest(reason: " old\nmachine "), to: "leave") as LeaveProgress
            _ = try client.send(LeaveRequest(reason: "no"), to: "leave", method: "DELETE") as LeaveProgress
            _ = try client.get("leave") as LeaveProgress
        }
        #expect(
            cluster.deeds == [
                "init n - by \(me)", "door 60 by \(me)", "join 192.0.2.1 7948 - - by \(me)", "order by \(me)",
                "link key by \(me)", "leave by \(me): old machine", "stay by \(me): no",
            ])
    }

    @Test("gives what is asked for, with a schema number")
    func gives() async throws {
        let cluster = cluster()
        cluster.with { $0.checkup = Checkup([.init(.degraded, "x", advice: "y")]) }
        let (list, checks, mark) = try await AdminHarness.serving(FakeBackend(), cluster: cluster) { client in
            _ = try client.get("blocks") as BlockList
            _ = try client.get("verdicts", query: [("fingerprint", "body:x")]) as VerdictList
            _ = try client.get("reputation", query: [("subject", "signer example.org")]) as ReputationReport
            return (
                try client.get("cluster/members") as MemberList,
                [try client.get("cluster/can-stop") as Checkup, try client.get("cluster/doctor")],
                try client.get("cluster/mark", query: [("node", "relay-2")]) as OriginMark
            )
        }
        #expect(list.members.map(\.name) == ["relay-1", "relay-2"] && list.schema == AdminAPI.schema)
        #expect(checks.map(\.health) == [.degraded, .degraded])
        #expect(mark.counter == 400)
        #expect(cluster.deeds == ["reputation of signer example.org"])
    }

    @Test("refuses what cannot be meant, and tells the node nothing")
    func refuses() async throws {
        let cluster = cluster()
        let codes = try await AdminHarness.serving(FakeBackend(), cluster: cluster) { client in
            [
                codeOf { _ = try client.send(DoorRequest(seconds: 0), to: "cluster/door") as DoorAnswer },
                codeOf {
                    _ =
                        try client.send(
                            DoorRequest(seconds: AdminAPI.doorSecondsLongest + 1), to: "cluster/door")
                        as DoorAnswer
                },
                codeOf { _ = try client.send(LeaveRequest(reason: " "), to: "leave") as LeaveProgress },
                codeOf { _ = try client.octets("cluster/mark") },
                codeOf { _ = try client.octets("reputation") },
                codeOf { _ = try client.send(Empty(), to: "cluster/orders") as OrderAnswer },
            ]
        }
        #expect(codes == Array(repeating: .badRequest, count: codes.count))
        #expect(cluster.deeds.isEmpty)
    }

    @Test("passes on why the node does not obey")
    func unwilling() async throws {
        let cluster = cluster()
        cluster.with { $0.failure = AdminProblem(.refused, "this order is not the operator's") }
        let code = try await AdminHarness.serving(FakeBackend(), cluster: cluster) { client in
            codeOf { _ = try client.send(OrderRequest(order: "AA=="), to: "cluster/orders") as OrderAnswer }
        }
        #expect(code == .refused)
    }
}
