import AdminProtocol
import AdminSupport
import Convergence
import Filtering
import Glibc
import MailValues
import Membership
import Reputation
import Testing

@testable import chappe

private let print = "body:" + String(repeating: "3f", count: 32)

@Suite("chappe, giving orders")
struct OrderCommandTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var kind: OrderKind
        var octets: [UInt8]
        var isLifted = false
        var seconds: Int64?
        var words: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    private static func network(_ text: String) -> [UInt8] { BlockSubject.network(Network(text)!).octets }

    @Test(
        "an order is signed, numbered by the clock, and about what was said",
        arguments: [
            Case(
                arguments: ["host", "block", "198.51.100.7", "--reason", "open relay"], kind: .block,
                octets: network("198.51.100.7"), words: "198.51.100.7/32 is blocked until it is released"),
            Case(
                arguments: ["host", "block", "2001:db8::/48", "--reason", "x", "--for", "2h"], kind: .block,
                octets: network("2001:db8::/48"), seconds: 7200, words: "2001:db8::/48 is blocked for 2h"),
            Case(
                arguments: ["host", "block", "account", "Anna", "--reason", "x", "--ttl", "7d"], kind: .block,
                octets: BlockSubject.account("anna").octets, seconds: 604_800,
                words: "account anna is blocked for 1w"),
            Case(
                arguments: ["host", "release", "198.51.100.7"], kind: .block, octets: network("198.51.100.7"),
                isLifted: true, words: "198.51.100.7/32 is released"),
            Case(
                arguments: ["drain", "--node", "relay-2", "--reason", "x"], kind: .drain,
                octets: ClusterOfTwo.second.octets, words: "relay-2 drains"),
            Case(
                arguments: ["undrain", "--node", "RELAY-2"], kind: .drain, octets: ClusterOfTwo.second.octets,
                isLifted: true, words: "relay-2 takes mail again"),
            Case(
                arguments: ["leave", "--node", "relay-2", "--stay"], kind: .leave,
                octets: ClusterOfTwo.second.octets, isLifted: true, words: "relay-2 stays"),
            Case(
                arguments: ["force-leave", "relay-2", "--reason", "burnt", "--yes"], kind: .eviction,
                octets: ClusterOfTwo.second.octets, words: "relay-2 is evicted"),
            Case(
                arguments: [
                    "force-leave", String(ClusterOfTwo.second.hex.prefix(8)), "--reason", "x", "--yes",
                ],
                kind: .eviction, octets: ClusterOfTwo.second.octets, words: "relay-2 is evicted"),
            Case(
                arguments: ["verdict", "add", print, "--reason", "x", "--ttl", "3d"], kind: .verdict,
                octets: Fingerprint(print)!.octets, seconds: 259_200, words: "is condemned for 3d"),
        ])
    func orders(_ sample: Case) async throws {
        try await ClusterOfTwo.with { two in
            let run = try await two.run(sample.arguments)
            #expect(run.outcome == .ok, "\(run.errors)")
            #expect(run.output.contains(sample.words), "\(run.output)")
            let order = try #require(try two.orders.first)
            #expect(order.subject == Order.Subject(sample.kind, sample.octets))
            #expect(order.isLifted == sample.isLifted)
            #expect(order.number == UInt64(CommandRun.now.milliseconds))
            #expect(order.expires == sample.seconds.map { CommandRun.now + .seconds($0) })
            #expect(!order.by.isEmpty && !order.reason.isEmpty)
            #expect(try two.orders.count == 1)
        }
    }

    @Test(
        "of what this node protects nobody is told that it is blocked here",
        arguments: [
            (
                OrderAnswer.Protection(isWhole: true, networks: ["127.0.0.0/8"]),
                "127.0.0.0/24 is protected on this node (`gate.protected`: 127.0.0.0/8), and not blocked there"
            ),
            (
                OrderAnswer.Protection(isWhole: false, networks: ["127.0.0.1/32", "127.0.0.2/32"]),
                "127.0.0.0/24 is blocked for 2h, without what is protected on this node (`gate.protected`: "
                    + "127.0.0.1/32, 127.0.0.2/32)"
            ),
        ])
    func protected(_ protection: OrderAnswer.Protection, _ words: String) async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.answer.protection = protection }
            let run = try await two.run(["host", "block", "127.0.0.0/24", "--reason", "x", "--for", "2h"])
            #expect(run.outcome == .partial)
            #expect(run.output.hasPrefix(words), "\(run.output)")
        }
    }

    @Test(
        "a message in a file is condemned by its text and each of its files, and looked at without an order")
    func file() async throws {
        let path = "/tmp/chappe-message-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(path) }
        let text = String(repeating: "Dear customer, your parcel waits for you!\n", count: 4)
        try write(
            "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n\(text)\n--b\n"
                + "Content-Type: application/pdf\n\n\(String(repeating: "%PDF", count: 100))\n--b--\n",
            to: path)
        try await ClusterOfTwo.with { two in
            let arguments = ["verdict", "add", "--file", path, "--reason", "x", "--ttl", "3d"]
            let look = try await two.run(arguments + ["--dry-run"])
            #expect(look.outcome == .ok, "\(look.errors)")
            #expect(try two.orders.isEmpty)
            let found = look.output.split(separator: "\n").compactMap { Fingerprint(String($0)) }
            #expect(found.count == 2 && found[0].kind == .body && found[1].kind == .attachment)
            let run = try await two.run(arguments)
            #expect(run.outcome == .ok, "\(run.errors)")
            #expect(try two.orders.map(\.subject) == found.map { Order.Subject(.verdict, $0.octets) })
        }
    }

    @Test("a message that says too little is nobody's campaign")
    func telling() async throws {
        let path = "/tmp/chappe-message-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(path) }
        try write("Subject: x\n\nOK, thanks\n", to: path)
        try await ClusterOfTwo.with { two in
            let run = try await two.run(["verdict", "add", "--file", path, "--reason", "x", "--ttl", "3d"])
            #expect(run.outcome == .partial)
            #expect(try two.orders.isEmpty)
            #expect(run.errors.contains("too little text"), "\(run.errors)")
        }
    }

    private func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        #expect(fputs(text, file) >= 0)
    }

    @Test("says who was told, who will hear of it, and how much it touches")
    func told() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with {
                $0.answer = OrderAnswer(
                    number: 18, told: ["relay-2"], notReached: ["relay-3"], messages: 1204)
            }
            let run = try await two.run(["host", "block", "198.51.100.7", "--reason", "x"])
            #expect(
                run.output == """
                    198.51.100.7/32 is blocked until it is released: order 18
                    told     relay-2
                    waiting  relay-3: will hear of it when back
                    touches  1,204 messages in this node's queue

                    """)
            #expect(run.outcome == .partial, "a member has yet to hear it")
            // Whether others heard it is nothing to the one that drains.
            #expect(try await two.run(["drain", "--node", "relay-2", "--reason", "x"]).outcome == .ok)
            two.cluster.with { $0.answer.notReached = ["relay-2"] }
            #expect(try await two.run(["drain", "--node", "relay-2", "--reason", "x"]).outcome == .partial)
        }
    }

    @Test("an order outdoes one from a clock that ran ahead, and does not follow one that makes no sense")
    func clockAhead() async throws {
        try await ClusterOfTwo.with { two in
            let ahead = UInt64((CommandRun.now + .seconds(86_400)).milliseconds)
            two.cluster.with { $0.facts.newestOrder = ahead }
            let run = try await two.run(["host", "block", "198.51.100.7", "--reason", "x"])
            #expect(run.outcome == .ok, "\(run.errors)")
            #expect(try two.orders.allSatisfy { (ahead + 1...ahead + 1_000_000).contains($0.number) })
            two.cluster.with { $0.facts.newestOrder = .max }
            let absurd = try await two.run(["host", "block", "198.51.100.7", "--reason", "x"])
            #expect(absurd.outcome == .refused && absurd.errors.contains("clock"), "\(absurd.errors)")
            #expect(try two.orders.count == 1)
        }
    }

    @Test(
        "what makes no sense is not ordered",
        arguments: [
            (["host", "block", "198.51.0.0/8", "--reason", "x"], "too wide"),
            (["host", "block", "example.org", "--reason", "x"], "no address"),
            (["host", "block", "account", "a b", "--reason", "x"], "no account's name"),
            (["host", "block", "198.51.100.7"], "--reason"),
            (["host", "block", "198.51.100.7", "--reason", " "], "--reason"),
            (["drain", "--node", "relay-9", "--reason", "x"], "there are relay-1, relay-2"),
            (["verdict", "add", "body:3f", "--reason", "x", "--ttl", "1d"], "no fingerprint"),
            (["verdict", "add", print, "--reason", "x"], "--ttl"),
            (["verdict", "add", print, "--file", "a", "--reason", "x", "--ttl", "1d"], "--file"),
            (["verdict", "add", "--reason", "x", "--ttl", "1d"], "--file"),
            (["verdict", "add", print, "--dry-run", "--reason", "x", "--ttl", "1d"], "--dry-run"),
            (["verdict", "add", "--file", "/nonexistent", "--reason", "x", "--ttl", "1d"], "No such file"),
            (["verdict", "revoke"], "--origin"),
        ])
    func nonsense(_ arguments: [String], _ words: String) async throws {
        try await ClusterOfTwo.with { two in
            let run = try await two.run(arguments)
            #expect(run.outcome == .usage)
            #expect(run.errors.contains(words), "\(run.errors)")
            #expect(try two.orders.isEmpty)
        }
    }

    @Test("force-leave says first what goes with the member, and wants a yes")
    func forceLeave() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.list.members[1].state = .dead }
            let alone = try await two.run(["force-leave", "relay-2", "--reason", "burnt"])
            #expect(alone.outcome == .refused)
            #expect(alone.errors.contains("2,000 messages queued there by its last word are gone with it"))
            #expect(alone.errors.contains("--yes"))
            let no = try await two.run(["force-leave", "relay-2", "--reason", "burnt"], answer: "n")
            #expect(no.outcome == .refused)
            #expect(try two.orders.isEmpty)
            let yes = try await two.run(["force-leave", "relay-2", "--reason", "burnt"], answer: "y")
            #expect(yes.outcome == .ok)
            #expect(try two.orders.count == 1)
        }
    }

    @Test("force-leave of one that is up points to leave; of the node itself it is refused")
    func forceLeaveLiving() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.list.members[1].load = nil }
            let run = try await two.run(["force-leave", "relay-2", "--reason", "x", "--yes"])
            #expect(run.errors.contains("relay-2 is up (UN): `chappe leave --node relay-2` keeps its mail"))
            #expect(run.errors.contains("is not known"))
            let own = try await two.run(["force-leave", "relay-1", "--reason", "x", "--yes"])
            #expect(own.outcome == .refused)
            #expect(try two.orders.count == 1)
        }
    }

    private static func row(order: OrderRow? = nil) -> VerdictRow {
        VerdictRow(
            fingerprint: print, consequence: .hold,
            origins: [.init(node: ClusterOfTwo.second.hex, name: "relay-2", incarnation: 3, counter: 17)],
            seen: 41, first: Moment(CommandRun.now - .seconds(600)), heldMessages: 12, order: order,
            revocation: nil)
    }

    @Test("revoking a fingerprint names what was said of it, by the beginning of it too")
    func revokes() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.verdicts.verdicts = [Self.row()] }
            let run = try await two.run(["verdict", "revoke", "body:3f3f", "--reason", "x"])
            #expect(run.outcome == .ok, "\(run.errors)")
            let order = try #require(try two.orders.first)
            #expect(order.subject.kind == .revocation)
            #expect(order.expires == CommandRun.now + .seconds(24 * 3600))
            let wanted = Revocation(
                .fingerprint(Fingerprint(print)!),
                covered: [ClusterOfTwo.second: Version(incarnation: 3, counter: 17)])
            #expect(Revocation(subject: order.subject.octets, order.payload) == wanted)
            #expect(try two.orders.count == 1)
        }
    }

    @Test("revoking takes back the operator's own word too, for as long as that would have held")
    func revokesOrder() async throws {
        try await ClusterOfTwo.with { two in
            let end = CommandRun.now + .seconds(999)
            let order = OrderRow(number: 1, by: "anna", reason: "x", isLifted: false, expires: Moment(end))
            two.cluster.with { $0.verdicts.verdicts = [Self.row(order: order)] }
            _ = try await two.run(["verdict", "revoke", print])
            let orders = try two.orders
            #expect(orders.map(\.subject.kind) == [.verdict, .revocation])
            #expect(orders.first?.isLifted == true && orders.first?.expires == end)
        }
    }

    @Test("revoking a node names all that it said so far")
    func revokesOrigin() async throws {
        try await ClusterOfTwo.with { two in
            let run = try await two.run(["verdict", "revoke", "--origin", "relay-2", "--ttl", "2h"])
            #expect(run.output.contains("all that relay-2 says is revoked for 2h"))
            let order = try #require(try two.orders.first)
            let wanted = Revocation(
                .origin(ClusterOfTwo.second),
                covered: [ClusterOfTwo.second: Version(incarnation: 3, counter: 400)])
            #expect(Revocation(subject: order.subject.octets, order.payload) == wanted)
        }
    }

    @Test("a node in no cluster obeys nobody")
    func noCluster() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.facts.cluster = nil }
            let run = try await two.run(["host", "block", "198.51.100.7", "--reason", "x"])
            #expect(run.outcome == .refused)
            #expect(run.errors.contains("chappe init"))
        }
    }
}
