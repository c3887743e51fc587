import AdminProtocol
import AdminSupport
import MailValues
import RelayNode
import Testing

@testable import QueueStorage
@testable import chappe

@Suite("chappe, asking a node")
struct NodeCommandTests {
    @Test("status is one screen")
    func status() async throws {
        let backend = FakeBackend()
        backend.with { $0.problems = [.init(.degraded, "no trust anchor", advice: "install dns-root-data")] }
        let run = try await CommandRun.of(["status"], backend)
        #expect(
            run.output == """
                node      mx.example.org   degraded   version 0.0.0-fake   up 2h   pid 42
                intake    21,004 accepted   0 refused   0 put off   0 sessions
                queue     0 messages   0 active   0 deferred   0 held
                delivery  0 delivered   0 deferred   0 bounced   0 expired   0 connections
                store     format 0   5.0 GiB free   0 B kept back
                events    0 written
                WARN      no trust anchor: install dns-root-data

                """)
    }

    @Test(
        "status ends as the node's health says",
        arguments: [(nil, Outcome.ok), (.degraded, .partial), (.critical, .refused)]
            as [(NodeStatus.Health?, Outcome)])
    func health(_ health: NodeStatus.Health?, _ outcome: Outcome) async throws {
        let backend = FakeBackend()
        backend.with { state in state.problems = health.map { [.init($0, "x")] } ?? [] }
        let run = try await CommandRun.of(["status", "-q"], backend)
        #expect(run.outcome == outcome && run.output.isEmpty)
    }

    @Test("a node that does not answer is told with what to look at")
    func unreachable() throws {
        let run = try CommandRun.here(["status", "--socket", "/nowhere/admin.sock"])
        #expect(run.outcome == .unreachable)
        #expect(
            run.errors == """
                chappe: cannot reach the node at /nowhere/admin.sock (No such file or directory): \
                is chappe.service running?

                """)
    }

    @Test(
        "a node's no becomes an exit code",
        arguments: [
            (AdminProblem.Code.badRequest, Outcome.usage), (.forbidden, .refused), (.refused, .refused),
            (.notFound, .partial), (.internalError, .partial), (.unavailable, .unreachable),
        ])
    func problems(_ code: AdminProblem.Code, _ outcome: Outcome) async throws {
        let backend = FakeBackend()
        backend.with { $0.failure = AdminProblem(code, "so it is", advice: "do this") }
        let run = try await CommandRun.of(["status"], backend)
        #expect(run.outcome == outcome)
        #expect(run.errors == "chappe: so it is: do this\n")
    }

    @Test("explain tells a story, a line for each event, and how it stands")
    func explain() async throws {
        let backend = FakeBackend.holding(1)
        let id = "01JC938NKRKAY0000003000000"
        backend.with { state in
            state.ledger[id] = [
                #"{"at":"2026-11-24T23:59:59.100+00:00","kind":"reception","id":"\#(id)","session":7,"listener":"mx","client":"203.0.113.9","client_name":"mx.example.com","hello":"mx","from":"news@example.com","to":["bob0@example.org"],"size":4096}"#,
                #"{"at":"2026-11-25T00:00:02.400+00:00","kind":"deferral","id":"\#(id)","to":"bob0@example.org","host":"mx1.example.org","address":"192.0.2.1","reply":"450 4.7.1 Greylisted","attempt":1}"#,
                #"{"at":"2026-11-25T00:05:02.400+00:00","kind":"delivery","id":"\#(id)","to":"bob0@example.org","host":"mx1.example.org","age_ms":3300,"tls":"TLSv1.3","reply":"250 2.0.0 Ok"}"#,
            ].map { Array($0.utf8) }
        }
        let run = try await CommandRun.of(["explain", id], backend)
        #expect(
            run.output == """
                2026-11-24
                23:59:59.100  RECEPTION   from news@example.com  to bob0@example.org  client mx.example.com [203.0.113.9] (mx)  4.0 KiB  listener=mx
                2026-11-25
                00:00:02.400  DEFERRAL    to bob0@example.org  at mx1.example.org[192.0.2.1]  "450 4.7.1 Greylisted"  attempt=1
                00:05:02.400  DELIVERY    to bob0@example.org  by mx1.example.org  "250 2.0.0 Ok"  after 3300 ms  tls=TLSv1.3
                It is in the queue, next attempt in 5m; 1 recipient waiting.

                """)
        let json = try await CommandRun.of(["explain", id, "-o", "json"], backend)
        #expect(json.output.hasPrefix(#"{"schema":1,"id":"\#(id)""#))
        let lines = try await CommandRun.of(["explain", id, "-o", "jsonl"], backend)
        #expect(lines.output.split(separator: "\n").count == 3)
    }

    @Test("explain wants a whole id, and says when nobody knows it")
    func explainUnknown() async throws {
        #expect(try await CommandRun.of(["explain", "01JC"]).outcome == .usage)
        let run = try await CommandRun.of(["explain", "01JC938NKRKAY0000003000000"])
        #expect(run.outcome == .partial && run.errors.contains("never heard of"))
    }

    @Test("reload says whether it took, and what would take a restart")
    func reload() async throws {
        let backend = FakeBackend()
        backend.with { state in
            state.report = .init(
                path: "/c.yaml", findings: [.init(.error, line: 3, column: 5, "only a restart")],
                needsRestart: ["queue"])
        }
        let restart = try await CommandRun.of(["reload"], backend)
        #expect(restart.outcome == .refused)
        #expect(
            restart.output
                == "/c.yaml:3:5: error: only a restart\nNothing was changed.\n"
                + "`systemctl restart chappe` puts all of it in force.\n")
        backend.with { $0.report = .init(path: "/c.yaml", findings: [], isApplied: true) }
        let run = try await CommandRun.of(["reload"], backend)
        #expect(run.outcome == .ok)
        #expect(run.output.hasSuffix("The node works by it now.\n"))
        backend.with {
            $0.report = .init(path: "/c.yaml", findings: [.init(.error, line: 3, column: 5, "no such key")])
        }
        let refused = try await CommandRun.of(["reload"], backend)
        #expect(refused.outcome == .refused)
        #expect(refused.output == "/c.yaml:3:5: error: no such key\nNothing was changed.\n")
    }

    @Test("drain wants a reason, and records it")
    func drain() async throws {
        let backend = FakeBackend()
        #expect(try await CommandRun.of(["drain"], backend).outcome == .usage)
        let run = try await CommandRun.of(["drain", "--reason", "new kernel"], backend)
        #expect(run.output == "draining: 3 sessions, 1 being delivered, 0 in the queue\n")
        #expect(backend.deeds.count == 1)
        #expect(try await CommandRun.of(["undrain"], backend).output.hasPrefix("taking mail"))
    }

    @Test("the store is upgraded only after a yes, and repaired only after one")
    func careful() async throws {
        let backend = FakeBackend()
        #expect(try await CommandRun.of(["store", "upgrade"], backend).outcome == .refused)
        #expect(backend.deeds.isEmpty)
        #expect(try await CommandRun.of(["store", "upgrade", "--yes"], backend).outcome == .ok)
        #expect(backend.deeds.count == 1)
        #expect(
            try CommandRun.here(["store", "repair", "/nowhere"], answer: "n").errors.contains(
                "nothing was changed"))
        let missing = try CommandRun.here(["store", "repair", "/nowhere", "--yes"])
        #expect(missing.outcome == .refused && missing.errors.contains("/nowhere"))
    }

    @Test("repair names the messages that are gone, some or all")
    func repair() {
        var report = RepairReport()
        report.messages = 1200
        report.gone = (0..<30).map {
            RepairReport.Gone(id: QueueID(high: 1, low: $0), reason: "its content is gone")
        }
        report.damages = ["000012.blob: it is missing"]
        report.unreadableOctets = 4096
        report.damagedStore = "/queue.damaged-1"
        let some = StoreRepairCommand.lines(report, wide: false)
        #expect(some[0] == "1,200 messages can be read; the node will start with all of them held")
        #expect(some[1] == "damaged: 000012.blob: it is missing" && some[2] == "30 messages are gone:")
        #expect(some[3] == "  \(QueueID(high: 1, low: 0))  its content is gone")
        #expect(some[23] == "  … 10 more: --ids shows all")
        #expect(some[24].hasPrefix("4.0 KiB of the log cannot be read"))
        #expect(some[25] == "the damaged store is in /queue.damaged-1" && some.count == 27)
        #expect(StoreRepairCommand.lines(report, wide: true).count == 36)
    }

    @Test("version and metrics are given as they are")
    func others() async throws {
        #expect(
            try await CommandRun.of(["version"]).output
                == "chappe \(NodeVersion.text)\nnode   0.0.0-fake (mx.example.org)\n")
        let alone = try CommandRun.here(["version", "--socket", "/nowhere"])
        #expect(alone.output == "chappe \(NodeVersion.text)\n")
        #expect(alone.outcome == .unreachable && alone.errors.contains("/nowhere"), "\(alone.errors)")
        #expect(try await CommandRun.of(["metrics"]).output == "chappe_fake 1\n")
    }

    @Test(
        "a command that does not exist is a mistake of usage",
        arguments: [["frobnicate"], ["queue", "ls", "--nonsense"], ["queue", "show"]])
    func usage(_ arguments: [String]) throws { #expect(try CommandRun.here(arguments).outcome == .usage) }
}

@Suite("Words and tables")
struct WordingTests {
    @Test(
        "spans have two units at most",
        arguments: [
            (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (11_520, "3h12m"),
            (86_400, "1d"), (187_200, "2d4h"), (-5, "0s"),
        ])
    func spans(_ seconds: Int64, _ text: String) { #expect(Wording.span(seconds: seconds) == text) }

    @Test(
        "counts have commas, sizes a unit",
        arguments: [
            (0, "0", "0 B"), (999, "999", "999 B"), (1000, "1,000", "1000 B"), (1024, "1,024", "1.0 KiB"),
            (1_234_567, "1,234,567", "1.1 MiB"), (-1000, "-1,000", "-1000 B"),
            (.max, "9,223,372,036,854,775,807", "8388607.9 TiB"),
        ])
    func counts(_ number: Int, _ count: String, _ octets: String) {
        #expect(Wording.count(number) == count)
        #expect(Wording.octets(number) == octets)
    }

    @Test("columns are as wide as their widest cell, and lines end without spaces")
    func table() {
        var table = Table([("A", .left), ("NUMBER", .right), ("C", .left)])
        table.add(["longer", "1", ""])
        table.add(["x\ny", "22", "z"])
        #expect(
            table.lines(withHeaders: true) == [
                "A       NUMBER  C", "longer       1", "x\u{FFFD}y         22  z",
            ])
        #expect(table.lines(withHeaders: false).count == 2)
    }
}
