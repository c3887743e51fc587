import AdminProtocol
import AdminSupport
import Cryptography
import Glibc
import MailValues
import Membership
import RelayNode
import Testing

@testable import chappe

@Suite("chappe, founding and joining")
struct JoiningTests {
    private static func alone() -> FakeCluster {
        FakeCluster(cluster: nil, operatorKey: nil, node: ClusterOfTwo.first.hex)
    }

    @Test("init makes the operator's key where only he reads it, and founds with a token for this node alone")
    func founds() async throws {
        try await AdminHarness.inDirectory { directory in
            let cluster = Self.alone()
            let path = "\(directory)/keys/operator.key"
            let run = try await CommandRun.of(
                ["init", "--name", "relay-1", "--address", "192.0.2.1", "--operator-key", path],
                cluster: cluster)
            #expect(run.outcome == .ok)
            #expect(run.output.contains("The operator's key is new: \(path)"))
            #expect(run.output.contains("chappe join-cmd"))
            #expect(cluster.deeds == ["init relay-1 192.0.2.1 by operator:\(getuid())"])

            var status = stat()
            #expect(stat("\(directory)/keys", &status) == 0 && status.st_mode & 0o777 == 0o700)
            let key = try KeyStore(path: path, purpose: .operator).load()
            let token = try #require(Token(cluster.with(\.tokens)[0]))
            #expect(token.permit.operatorKey == key.publicKey)
            #expect(token.permit.doorkeeper == ClusterOfTwo.first)
            #expect(token.permit.number == UInt64(CommandRun.now.milliseconds))
            #expect(token.linkKey == [UInt8](repeating: 0xC5, count: 32))
            #expect(!run.output.contains(String(decoding: Base64.encode(key.seed), as: UTF8.self)))
        }
    }

    @Test("init uses a key that is there, and never writes over it")
    func usesKey() async throws {
        try await ClusterOfTwo.with { two in
            let cluster = Self.alone()
            let run = try await CommandRun.of(["init", "--operator-key", two.keyFile], cluster: cluster)
            #expect(run.outcome == .ok)
            #expect(run.output.contains("was there, and is used again"))
            #expect(try KeyStore(path: two.keyFile, purpose: .operator).load() == ClusterOfTwo.key)
            #expect(Token(cluster.with(\.tokens)[0])?.permit.operatorKey == ClusterOfTwo.key.publicKey)
        }
    }

    @Test("init refuses a node that is in a cluster, and makes no key")
    func foundsOnce() async throws {
        try await AdminHarness.inDirectory { directory in
            let cluster = FakeCluster(
                cluster: "\(ClusterOfTwo.id)", operatorKey: nil, node: ClusterOfTwo.first.hex)
            let path = "\(directory)/operator.key"
            let run = try await CommandRun.of(["init", "--operator-key", path], cluster: cluster)
            #expect(run.outcome == .refused)
            #expect(run.errors.contains("in a cluster already"))
            #expect(access(path, F_OK) != 0 && cluster.deeds.isEmpty)
        }
    }

    @Test("join-cmd prints the line alone, with a token for that door, and the rest elsewhere")
    func line() async throws {
        try await ClusterOfTwo.with { two in
            let run = try await two.run(["join-cmd", "--expires", "30m"])
            #expect(run.outcome == .ok)
            let words = run.output.split(separator: " ")
            #expect(run.output.hasSuffix("\n") && run.output.filter { $0 == "\n" }.count == 1)
            #expect(words.prefix(4) == ["chappe", "join", "192.0.2.1:7948", "--token"])
            let token = try #require(Token(words[4].dropLast()))
            #expect(token.permit.cluster == ClusterOfTwo.id)
            #expect(token.permit.doorkeeper == ClusterOfTwo.first)
            #expect(token.permit.expires == CommandRun.now + .seconds(1800))
            #expect(two.cluster.deeds == ["door 1800 by operator:\(getuid())"])
            #expect(run.errors.contains("once") && !run.errors.contains(token.text))
        }
    }

    @Test("a door at an IPv6 address is printed so that join understands it")
    func lineV6() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.door.host = "2001:db8::1" }
            let run = try await two.run(["join-cmd"])
            let text = run.output.split(separator: " ")[2]
            #expect(text == "[2001:db8::1]:7948")
            #expect(Endpoint(argument: String(text)) == Endpoint(host: "2001:db8::1", port: 7948))
        }
    }

    @Test("without the operator's key, or with another one, a command says where to look")
    func noKey() async throws {
        try await ClusterOfTwo.with { two in
            let none = try await CommandRun.of(
                ["join-cmd", "--operator-key", two.keyFile + ".gone"], cluster: two.cluster)
            #expect(none.outcome == .refused)
            #expect(none.errors.contains("\(two.keyFile).gone is not there: `chappe init` wrote it"))
            two.cluster.with { $0.facts.operatorKey = String(repeating: "ab", count: 32) }
            let other = try await two.run(["join-cmd"])
            #expect(other.outcome == .refused)
            #expect(other.errors.contains("this cluster obeys abababab…"))
            chmod(two.keyFile, 0o640)
            let open = try await two.run(["join-cmd"])
            #expect(open.errors.contains("chmod 600"))
            #expect(two.cluster.deeds.isEmpty)
        }
    }

    private static func token(lifetime: Duration = .seconds(60)) -> String {
        var random = SecureRandom()
        return Token(
            cluster: ClusterOfTwo.id, operator: ClusterOfTwo.key, doorkeeper: ClusterOfTwo.first,
            linkKey: [UInt8](repeating: 0xC5, count: 32), number: 1, expires: CommandRun.now + lifetime,
            using: &random
        ).text
    }

    @Test("join hands the token to the node, finds the address of a name, and says who the members are")
    func joins() async throws {
        try await ClusterOfTwo.with { two in
            let token = Self.token()
            let run = try await CommandRun.of(
                ["join", "localhost:7948", "--token", token, "--name", "relay-1", "--address", "192.0.2.1"],
                cluster: two.cluster)
            #expect(run.outcome == .ok)
            #expect(run.output.contains("relay-1 is a member of cluster \(ClusterOfTwo.id), one of 2"))
            #expect(run.output.contains("UN  relay-2"))
            #expect(two.cluster.with(\.tokens) == [token])
            let deed = try #require(two.cluster.deeds.first)
            #expect(deed.hasPrefix("join 127.0.0.1 7948 relay-1") || deed.hasPrefix("join ::1 7948 relay-1"))
        }
    }

    @Test("join passes on why the door says no, and never repeats the token", arguments: JoinRefusal.allCases)
    func refused(_ refusal: JoinRefusal) async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.failure = AdminProblem(.refused, refusal.sentence) }
            let token = Self.token()
            let run = try await CommandRun.of(
                ["join", "127.0.0.1:7948", "--token", token], cluster: two.cluster)
            #expect(run.outcome == .refused)
            #expect(run.errors == "chappe: \(refusal.sentence)\n")
        }
    }

    @Test(
        "what cannot be right is not sent",
        arguments: [
            (["127.0.0.1:7948", "--token", "chappe1.x"], "this is no token"),
            (["127.0.0.1", "--token", Self.token()], "door"),
            (["2001:db8::1:7948", "--token", Self.token()], "door"),
            (["127.0.0.1:7948", "--token", Self.token(lifetime: .zero)], "the token has expired"),
            (["127.0.0.1:7948", "--token", Self.token(), "--name", "relay 1"], "--name is letters"),
            (["127.0.0.1:7948", "--token", Self.token(), "--address", "relay"], "--address is an address"),
        ])
    func notSent(_ arguments: [String], _ words: String) async throws {
        let cluster = Self.alone()
        let run = try await CommandRun.of(["join"] + arguments, cluster: cluster)
        #expect(run.outcome != .ok && cluster.deeds.isEmpty)
        #expect(run.errors.contains(words), "\(run.errors)")
    }
}
