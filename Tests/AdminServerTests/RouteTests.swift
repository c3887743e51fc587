import AdminClient
import AdminProtocol
import AdminServer
import AdminSupport
import Glibc
import MailValues
import Testing

private let id = "01JC938NKRKAY0000003FAVFQF"
private let other = "01JC938NKRKAY0000003FAVFQG"

private func backend() -> FakeBackend {
    let backend = FakeBackend()
    backend.with { state in
        state.entries = [id, other].map { id in
            QueueEntry(
                id: id, state: .waiting, acceptedAt: Moment(state.now - .seconds(60)),
                sender: "a@example.com",
                sizeOctets: 1000, listener: "mx",
                recipients: [.init(address: "b@example.org", state: .waiting)])
        }
        state.raw[id] = [Array("Subject: x\r\n".utf8), Array("\r\nbody\r\n".utf8)]
        state.ledger[id] = [
            Array(
                #"{"at":"2026-11-24T15:19:52.123+00:00","kind":"reception","id":"\#(id)","z":1,"a":["x"]}"#
                    .utf8),
            Array("not JSON".utf8),
        ]
    }
    return backend
}

private func problemOf(_ body: () throws -> Void) -> AdminProblem? {
    do {
        try body()
        return nil
    } catch let failure as AdminClient.Failure {
        if case .problem(let problem) = failure { return problem }
        return AdminProblem(.internalError, "\(failure)")
    } catch {
        return nil
    }
}

private let me = "operator:\(getuid())"

@Suite("The admin socket")
struct RouteTests {
    @Test("gives the status, with a schema number and the worst problem as health")
    func status() async throws {
        let backend = backend()
        backend.with { $0.problems = [.init(.degraded, "no trust anchor", advice: "install dns-root-data")] }
        let status: NodeStatus = try await AdminHarness.serving(backend) { try $0.get("status") }
        #expect(status.schema == AdminAPI.schema)
        #expect(status.health == .degraded)
        #expect(status.queue.messages == 2)
        let raw = try await AdminHarness.serving(backend) { try $0.octets("status") }
        #expect(String(decoding: raw, as: UTF8.self).contains("\"health\":\"degraded\""))
    }

    @Test("gives the queue in pages that go on where the one before ended")
    func pages() async throws {
        let ids = try await AdminHarness.serving(backend()) { client in
            let first: QueuePage = try client.get(
                "queue", query: [("limit", "1"), ("sender", "@example.com")])
            let second: QueuePage = try client.get(
                "queue", query: [("limit", "1"), ("cursor", first.next ?? "none")])
            return (first.entries + second.entries).map(\.id) + [second.next ?? "end"]
        }
        #expect(ids == [id, other, "end"])
    }

    @Test("decodes what stands in a query")
    func decodes() async throws {
        let page: QueuePage = try await AdminHarness.serving(backend()) {
            try $0.get("queue", query: [("reply", "50% & more+=\u{FC}")])
        }
        #expect(page.entries.isEmpty)
        let count = try await AdminHarness.serving(backend()) {
            try ($0.get("queue", query: [("sender", "a@*")]) as QueuePage).entries.count
        }
        #expect(count == 2)
    }

    @Test(
        "refuses what it does not understand, and says why",
        arguments: [
            ("queue", "sneder", "a"), ("queue", "limit", "0"), ("queue", "limit", "x"),
            ("queue/summary", "by", "moon"),
            ("queue/nonsense", "", ""), ("explain/nonsense", "", ""),
        ])
    func refuses(_ resource: String, _ name: String, _ value: String) async throws {
        let problem = try await AdminHarness.serving(backend()) { client in
            problemOf { _ = try client.octets(resource, query: name.isEmpty ? [] : [(name, value)]) }
        }
        #expect(problem?.code == .badRequest)
        #expect(problem?.message.isEmpty == false)
    }

    @Test(
        "says not found in the same form",
        arguments: ["nowhere", "queue/01JC938NKRKAY0000003FAVFQZ", "explain/01JC938NKRKAY0000003FAVFQZ"])
    func notFound(_ resource: String) async throws {
        let problem = try await AdminHarness.serving(backend()) { client in
            problemOf { _ = try client.octets(resource) }
        }
        #expect(problem?.code == .notFound)
    }

    @Test("records who asked, as the kernel knows it", arguments: QueueAction.allCases)
    func change(_ action: QueueAction) async throws {
        let backend = backend()
        let answer: QueueChangeAnswer = try await AdminHarness.serving(backend) { client in
            var filter = QueueFilter()
            filter.id = id
            return try client.send(
                QueueChangeRequest(filter: filter, reason: "  a\n campaign "), to: "queue/\(action.rawValue)")
        }
        #expect(answer.matched == 1 && answer.changed == 1 && answer.ids == [id])
        #expect(backend.deeds == ["\(action.rawValue) 1 by \(me): a campaign"])
    }

    @Test("changes nothing without a filter or without a reason")
    func careful() async throws {
        let backend = backend()
        var filter = QueueFilter()
        filter.all = true
        let requests = [
            QueueChangeRequest(filter: QueueFilter(), reason: "why"),
            QueueChangeRequest(filter: filter, reason: " "),
            QueueChangeRequest(filter: filter, reason: String(repeating: "x", count: 501)),
        ]
        let problems = try await AdminHarness.serving(backend) { client in
            requests.map { request in
                problemOf { _ = try client.send(request, to: "queue/delete") as QueueChangeAnswer }?.code
            }
        }
        #expect(problems == [.badRequest, .badRequest, .badRequest])
        #expect(backend.deeds.isEmpty)
    }

    @Test("a filter with a name that it does not know changes nothing")
    func unknownFilter() async throws {
        struct Newer: Encodable {
            var schema = 1
            var filter = ["sender": "a@example.com", "campaign": "c91f"]
            var reason = "why"
            var dryRun = false
        }
        let backend = backend()
        let problem = try await AdminHarness.serving(backend) { client in
            problemOf { _ = try client.send(Newer(), to: "queue/delete") as QueueChangeAnswer }
        }
        #expect(problem?.code == .badRequest)
        #expect(problem?.message.contains("campaign") == true)
        #expect(backend.deeds.isEmpty)
    }

    @Test("a body that is too long or no JSON is refused")
    func badBodies() async throws {
        let problems = try await AdminHarness.serving(backend()) { client in
            [
                problemOf { _ = try client.send("x", to: "queue/hold") as QueueChangeAnswer }?.code,
                problemOf {
                    _ =
                        try client.send(String(repeating: "x", count: 100_000), to: "queue/hold")
                        as QueueChangeAnswer
                }?.code,
            ]
        }
        #expect(problems == [.badRequest, .badRequest])
    }

    @Test("gives the octets of a message to those who may read it, and tells the node who did")
    func raw() async throws {
        let backend = backend()
        let octets = try await AdminHarness.serving(backend) { try $0.octets("queue/\(id)/raw") }
        #expect(octets == Array("Subject: x\r\n\r\nbody\r\n".utf8))
        #expect(backend.deeds == ["raw \(id) by \(me)"])
    }

    @Test("gives them to nobody else")
    func rawForbidden() async throws {
        let backend = backend()
        let others: @Sendable (inout AdminServer.Settings) -> Void = { $0.rawReaders = [getuid() + 1] }
        let problem = try await AdminHarness.serving(backend, others) { client in
            problemOf { _ = try client.octets("queue/\(id)/raw") }
        }
        #expect(problem?.code == .forbidden)
        #expect(backend.deeds.isEmpty)
    }

    @Test("explains with the lines as they were written, and one bad line hides no other")
    func explain() async throws {
        let backend = backend()
        let (text, explanation) = try await AdminHarness.serving(backend) { client in
            (
                String(decoding: try client.octets("explain/\(id)"), as: UTF8.self),
                try client.get("explain/\(id)") as Explanation
            )
        }
        #expect(text.contains(#""z":1,"a":["x"]"#))
        #expect(explanation.events.map(\.kind) == ["reception", "unreadable"])
        #expect(explanation.events[0].fields == ["z": .number(1), "a": .list(["x"])])
        #expect(explanation.entry?.id == id)
    }

    @Test("carries reload, drain and the tasks of the store to the node")
    func maintenance() async throws {
        struct Empty: Encodable {}
        let backend = backend()
        try await AdminHarness.serving(backend) { client in
            _ = try client.send(Empty(), to: "configuration/reload") as ConfigurationReport
            _ = try client.get("configuration/check") as ConfigurationReport
            _ = try client.send(DrainRequest(reason: "kernel"), to: "drain") as DrainAnswer
            _ = try client.send(DrainRequest(reason: "done"), to: "drain", method: "DELETE") as DrainAnswer
            _ = try client.send(StoreTaskRequest(directory: "/b"), to: "store/backup") as StoreTaskAnswer
            _ = try client.send(StoreTaskRequest(), to: "store/verify") as StoreTaskAnswer
            _ = try client.get("selftest") as SelftestFacts
        }
        #expect(
            backend.deeds == [
                "reload by \(me)", "drain by \(me): kernel", "undrain by \(me): done", "backup /b by \(me)",
                "verify - by \(me)",
            ])
    }

    @Test("a backup wants an absolute directory", arguments: [nil, "backup", ""])
    func backup(_ directory: String?) async throws {
        let problem = try await AdminHarness.serving(backend()) { client in
            problemOf {
                _ =
                    try client.send(StoreTaskRequest(directory: directory), to: "store/backup")
                    as StoreTaskAnswer
            }
        }
        #expect(problem?.code == .badRequest)
    }

    @Test("passes on why the node cannot")
    func unavailable() async throws {
        let backend = backend()
        let why = AdminProblem(.unavailable, "the store is sick", advice: "look at chappe status")
        backend.with { $0.failure = why }
        let problem = try await AdminHarness.serving(backend) { client in
            problemOf { _ = try client.octets("queue") }
        }
        #expect(problem == why)
    }
}
