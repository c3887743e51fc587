import AdminProtocol
import AdminSupport
import MailValues
import Testing

@testable import chappe

@Suite("chappe queue")
struct QueueCommandTests {
    @Test("ls shows a line for each message, with relative times")
    func list() async throws {
        let run = try await CommandRun.of(["queue", "ls"], .holding(2))
        #expect(
            run.output == """
                ID                          STATE      AGE     SIZE  NEXT   FROM              TO
                01JC938NKRKAY0000003000000  waiting  1h10m  4.0 KiB  in 5m  news@example.com  bob0@example.org
                01JC938NKRKAY0000003000001  waiting  2h10m  4.0 KiB  in 5m  <>                bob1@example.org

                """)
        #expect(run.outcome == .ok)
    }

    @Test("ls without titles, and with ids alone")
    func bare() async throws {
        let bare = try await CommandRun.of(["queue", "ls", "--no-headers", "--from", "<>"], .holding(2))
        #expect(bare.output.hasPrefix("01JC938NKRKAY0000003000001"))
        let quiet = try await CommandRun.of(["queue", "ls", "-q"], .holding(2))
        #expect(quiet.output == "01JC938NKRKAY0000003000000\n01JC938NKRKAY0000003000001\n")
    }

    @Test("ls goes through all pages, and says when there is more")
    func pages() async throws {
        let all = try await CommandRun.of(["queue", "ls", "-q", "--limit", "0"], .holding(2500))
        #expect(all.output.split(separator: "\n").count == 2500)
        let some = try await CommandRun.of(["queue", "ls", "--limit", "7"], .holding(9))
        #expect(some.output.split(separator: "\n").count == 8)
        #expect(some.errors == "… and more: --limit 0 shows all\n")
    }

    @Test("a message that was offered to another node is held with that reason")
    func offered() async throws {
        let backend = FakeBackend.holding(1, state: .held)
        backend.with { $0.entries[0].offeredTo = String(repeating: "0123456789abcdef", count: 4) }
        for arguments in [
            ["queue", "ls", "-o", "wide"], ["queue", "show", "01JC938NKRKAY0000003000000"],
            ["explain", "01JC938NKRKAY0000003000000"],
        ] {
            let run = try await CommandRun.of(arguments, backend)
            #expect(
                run.output.contains("leaving: offered to node 0123456789abcdef, which has not answered yet"),
                "\(arguments)")
        }
    }

    @Test("what a peer said never steers the terminal")
    func harmless() async throws {
        for arguments in [["queue", "ls", "-o", "wide"], ["queue", "show", "01JC938NKRKAY0000003000000"]] {
            let run = try await CommandRun.of(arguments, .holding(1))
            #expect(run.output.contains("450 4.7.1 \u{FFFD}[31mGreylisted\u{FFFD}"))
            #expect(!run.output.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
        }
    }

    @Test("json is one document with a schema number, jsonl a line for each message")
    func json() async throws {
        let document = try await CommandRun.of(["queue", "ls", "-o", "json"], .holding(2))
        #expect(document.output.contains("\"schema\" : 1"))
        #expect(document.output.contains("+00:00"))
        let lines = try await CommandRun.of(["queue", "ls", "-o", "jsonl"], .holding(2))
        #expect(lines.output.split(separator: "\n").count == 2)
        #expect(lines.output.split(separator: "\n").allSatisfy { $0.hasPrefix("{\"acceptedAt\":") })
    }

    @Test("summary counts by domain with ages")
    func summary() async throws {
        let run = try await CommandRun.of(["queue", "summary"], .holding(3))
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("DOMAIN       MESSAGES"))
        #expect(lines[1].hasPrefix("example.org         3  12.0 KiB"))
        #expect(lines[2].hasPrefix("total"))
    }

    @Test("show tells of a message that is not there what to do")
    func notThere() async throws {
        let run = try await CommandRun.of(["queue", "show", "01JC938NKRKAY0000003FFFFFF"])
        #expect(run.outcome == .partial)
        #expect(run.errors.contains("is not in the queue: chappe explain 01JC938NKRKAY0000003FFFFFF"))
    }

    @Test("raw gives octets and nothing else")
    func raw() async throws {
        let backend = FakeBackend.holding(1)
        let id = "01JC938NKRKAY0000003000000"
        backend.with { $0.raw[id] = [Array("A: b\r\n\r\n\u{1B}\r\n".utf8)] }
        let run = try await CommandRun.of(["queue", "raw", id], backend)
        #expect(run.output == "A: b\r\n\r\n\u{1B}\r\n")
    }

    @Test(
        "what cannot be taken back, and a hold, want a reason",
        arguments: [("hold", true), ("bounce", true), ("delete", true), ("release", false), ("retry", false)])
    func reason(_ action: String, _ isWanted: Bool) async throws {
        let backend = FakeBackend.holding(2)
        let run = try await CommandRun.of(["queue", action, "--all"], backend)
        #expect(run.outcome == (isWanted ? .usage : .ok))
        #expect(backend.deeds.isEmpty == isWanted)
        if isWanted { #expect(run.errors.contains("--reason is missing")) }
    }

    @Test("nothing is named, nothing is changed")
    func nothingNamed() async throws {
        let backend = FakeBackend.holding(2)
        let run = try await CommandRun.of(["queue", "delete", "--reason", "x"], backend)
        #expect(run.outcome == .usage)
        #expect(backend.deeds.isEmpty)
    }

    @Test("a dry run says what would be, and changes nothing")
    func dryRun() async throws {
        let backend = FakeBackend.holding(200)
        let run = try await CommandRun.of(
            ["queue", "delete", "--domain", "example.org", "--dry-run"], backend)
        #expect(run.output == "would delete 200 messages\n")
        #expect(run.outcome == .ok && backend.deeds.isEmpty)
    }

    @Test("a short id that several messages begin with changes none of them")
    func ambiguous() async throws {
        for extra in [[], ["--dry-run"]] {
            let backend = FakeBackend.holding(5)
            let run = try await CommandRun.of(["queue", "delete", "01JC", "--reason", "x"] + extra, backend)
            #expect(run.outcome == .refused && backend.deeds.isEmpty)
            #expect(run.errors.contains("5 messages begin with 01JC"))
        }
    }

    @Test("more than a hundred want a yes: from the command line, or from a person")
    func many() async throws {
        let arguments = ["queue", "hold", "--all", "--reason", "campaign"]
        for (count, extra, answer, outcome) in [
            (100, [], nil, Outcome.ok), (101, [], nil, .refused), (101, ["--yes"], nil, .ok),
            (101, [], "y", .ok),
            (101, [], "no", .refused),
        ] as [(Int, [String], String?, Outcome)] {
            let backend = FakeBackend.holding(count)
            let run = try await CommandRun.of(arguments + extra, backend, answer: answer)
            #expect(run.outcome == outcome)
            #expect(backend.deeds.count == (outcome == .ok ? 1 : 0))
        }
    }

    @Test("several ids are several changes, counted together")
    func severalIDs() async throws {
        let backend = FakeBackend.holding(5)
        let run = try await CommandRun.of(
            ["queue", "retry", "01JC938NKRKAY0000003000000", "01jc938nkrkay0000003000003"], backend)
        #expect(run.output == "made due 2 messages\n")
        #expect(backend.deeds.count == 2)
    }

    @Test("what could not be changed makes it partial")
    func partial() async throws {
        let run = try await CommandRun.of(
            ["queue", "delete", "--all", "--reason", "x"], .holding(3, state: .active))
        #expect(run.outcome == .partial)
        #expect(run.output.hasPrefix("deleted none of 3 messages"))
        let none = try await CommandRun.of(["queue", "delete", "--from", "nobody@x", "--reason", "x"])
        #expect(none.outcome == .partial && none.output == "no message fits\n")
    }

    @Test(
        "what an action does not change as it stands is told, and for a held message how it goes on",
        arguments: [
            (
                "retry",
                "made due none of 2 messages: 2 are held, and not tried before `chappe queue release`\n"
            ),
            ("hold", "held none of 2 messages: 2 are held already\n"),
            ("release", "released 2 messages\n"),
        ])
    func standing(_ action: String, _ words: String) async throws {
        let run = try await CommandRun.of(
            ["queue", action, "--all", "--reason", "x"], .holding(2, state: .held))
        #expect(run.output == words)
        #expect(run.outcome == (action == "release" ? .ok : .partial))
        let mixed = QueueChangeAnswer(
            action: .retry, dryRun: true, matched: 5, changed: 3, inapplicable: 1, ids: [])
        #expect(
            QueueRetryCommand.sentence(mixed)
                == "would retry 3 of 5 messages: 1 is held, and not tried before `chappe queue release`; "
                + "what is being delivered, or is so already, stays as it is")
    }

    @Test(
        "a filter that makes no sense is a mistake of usage",
        arguments: [["--older-than", "soon"], ["--state", "gone"], ["--all", "01JC"]])
    func badFilter(_ arguments: [String]) async throws {
        let run = try await CommandRun.of(["queue", "ls"] + arguments)
        #expect(run.outcome == .usage)
    }
}
