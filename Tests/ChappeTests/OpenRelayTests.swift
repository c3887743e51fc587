import AdminProtocol
import AdminSupport
import MailValues
import RoutingPolicy
import Testing

@testable import chappe

@Suite("chappe selftest open-relay")
struct OpenRelayTests {
    private func run(
        _ host: ScriptedHost, _ arguments: [String] = [], backend: FakeBackend = FakeBackend()
    ) async throws -> CommandRun {
        defer { host.stop() }
        return try await CommandRun.of(
            ["selftest", "open-relay", "--port", "\(host.port)", "--domain", "example.org", "--timeout", "5"]
                + arguments,
            backend)
    }

    @Test("finds nothing at a host that takes its own recipient only")
    func closed() async throws {
        let host = ScriptedHost { line, _ in
            line.hasPrefix("RCPT TO:<postmaster@example.org>") || !line.hasPrefix("RCPT")
                ? "250 ok" : "550 5.7.1 no"
        }
        let run = try await run(host)
        #expect(run.outcome == .ok)
        #expect(run.output.contains("\(OpenRelayTricks.all.count) tricks tried, 0 accepted, 0 not told"))
        #expect(run.output.split(separator: "\n").count == OpenRelayTricks.all.count + 3)
        #expect(host.lines.filter { $0.hasPrefix("MAIL") }.count == OpenRelayTricks.all.count + 1)
    }

    @Test("finds the one trick that works")
    func percentHack() async throws {
        let host = ScriptedHost { line, inData in
            if line == "DATA" { return "354 go on" }
            if line.hasPrefix("RCPT") && line != "RCPT TO:<postmaster@example.org>" {
                return line.contains("%relay-test.example@example.org>") ? "250 ok" : "550 5.7.1 no"
            }
            return "250 ok"
        }
        let run = try await run(host, ["-q"])
        #expect(run.outcome == .refused)
        #expect(run.output.split(separator: "\n").contains("percent hack at our domain"))
    }

    @Test("a refusal at the end of data is a refusal")
    func endOfData() async throws {
        let host = ScriptedHost { line, inData in
            inData ? "550 5.7.1 no" : line == "DATA" ? "354 go on" : "250 ok"
        }
        let run = try await run(host)
        #expect(run.outcome == .ok)
        #expect(run.output.contains("end of data: 550 5.7.1 no"))
    }

    @Test("what is put off cannot be told")
    func deferred() async throws {
        let host = ScriptedHost { line, _ in line.hasPrefix("RCPT") ? "450 4.7.1 later" : "250 ok" }
        let run = try await run(host)
        #expect(run.outcome == .partial)
        #expect(run.output.contains("these refusals prove little"))
    }

    @Test("a host that would not hear us has told nothing about others")
    func turnedAway() async throws {
        let host = ScriptedHost(greeting: "554 5.7.1 Mail from 127.0.0.1 is blocked here") { _, _ in
            "550 5.7.1 no"
        }
        let run = try await run(host)
        #expect(run.outcome == .partial)
        #expect(run.output.contains("\(OpenRelayTricks.all.count) not told"))
        #expect(run.output.contains("chappe host release"))
    }

    @Test("tricks stand in their order, however many are tried at a time", arguments: [1, 7, 200])
    func order(sessions: Int) async throws {
        let host = ScriptedHost { line, _ in line.hasPrefix("RCPT") ? "550 5.7.1 no" : "250 ok" }
        let run = try await run(host, ["--sessions", "\(sessions)", "--no-headers"])
        let names = run.output.split(separator: "\n").dropFirst().prefix(OpenRelayTricks.all.count)
        #expect(zip(names, OpenRelayTricks.all).allSatisfy { $0.hasPrefix($1.name) })
        #expect(names.count == OpenRelayTricks.all.count)
    }

    @Test("a host that does not answer is unreachable")
    func unreachable() async throws {
        let host = ScriptedHost { _, _ in "250 ok" }
        host.stop()
        let run = try await CommandRun.of(
            ["selftest", "open-relay", "--port", "\(host.port)", "--domain", "example.org"])
        #expect(run.outcome == .unreachable)
    }

    @Test("plays a stranger by XCLIENT, and foreign tenants of a shared network")
    func tenants() async throws {
        let backend = FakeBackend()
        backend.with { state in
            state.facts.sharedNetworks = [
                .init(
                    network: "192.0.2.0/24, 203.0.113.0/24", senderDomains: ["example.org"],
                    fromDomains: ["example.org"],
                    header: "X-OriginatorOrg", value: "example.org")
            ]
        }
        let host = ScriptedHost { line, inData in
            inData ? "550 5.7.1 no" : line == "DATA" ? "354 go on" : "250 ok"
        }
        let run = try await run(host, ["--as", "198.51.100.1"], backend: backend)
        #expect(run.outcome == .ok)
        #expect(host.lines.contains("XCLIENT ADDR=198.51.100.1 NAME=[UNAVAILABLE]"))
        #expect(host.lines.contains("XCLIENT ADDR=192.0.2.7 NAME=[UNAVAILABLE]"))
        #expect(run.output.contains("192.0.2.0/24, 203.0.113.0/24: header of another tenant"))
        #expect(host.lines.contains("X-OriginatorOrg: other.example"))
    }

    @Test("no tenant's message has all the marks")
    func tenantMarks() {
        let shared = SelftestFacts.SharedNetwork(
            network: "192.0.2.0/24", senderDomains: ["example.org"], fromDomains: ["example.org"],
            header: "X-Org",
            value: "example.org")
        let parties = OpenRelayTrick.Parties(
            ownDomain: "example.org", ownUser: "u", ownHost: "mx", ownAddress: .v4(0))
        let tricks = TenantTrick.all(for: shared, parties)
        #expect(tricks.count >= 12)
        #expect(Set(tricks.map(\.attempt.name)).count == tricks.count)
        for trick in tricks {
            let header = trick.attempt.header
            let isWhole =
                header.count == 2 && header[0] == ("From", "someone@example.org")
                && header[1] == ("X-Org", "example.org")
            #expect(!isWhole || trick.attempt.sender != Array("<someone@example.org>".utf8))
        }
    }
}
