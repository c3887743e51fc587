import Glibc
import Testing

@Suite("Real nodes as one cluster", .serialized)
struct ClusterTests {
    /// Nodes in one cluster, and the key of its operator.
    final class Cluster {
        let sink: Sink
        private let listener: String
        private(set) var nodes: [NodeProcess] = []
        private let folder: String

        /// `isSilent`: nothing is delivered, so that queues stay full. `listener`: what its settings are besides.
        init(_ count: Int, isSilent: Bool = false, listener: String = "dsn: false") throws {
            self.listener = listener
            sink = try Sink(isSilent: isSilent)
            folder = try Folder.temporary()
            for number in 1...count { try add(number) }
            try agree(on: count)
        }

        deinit {
            sink.stop()
            Folder.remove(folder)
        }

        /// A node in no cluster.
        func spare() throws -> NodeProcess {
            let port = try FreePort.take(run: 5)
            let node = try NodeProcess(
                .init(
                    sinkPort: sink.port, listener: listener,
                    extra: "cluster: {address: 127.0.0.1, port: \(port)}",
                    operatorKey: folder + "/operator.key"))
            try node.waitForAdmin()
            return node
        }

        /// Has a node listen for members elsewhere from its next start on. The port of its links.
        func move(_ node: NodeProcess) throws -> UInt16 {
            let port = try FreePort.take(run: 5)
            try node.write(
                .init(
                    sinkPort: sink.port, listener: listener,
                    extra: "cluster: {address: 127.0.0.1, port: \(port)}"))
            return port
        }

        /// What is to be said on a new node.
        func joinLine() throws -> [String] {
            let door = try nodes[0].chappe("join-cmd")
            let line = door.output.split(separator: "\n").first { $0.hasPrefix("chappe join ") }
            guard let words = line?.split(separator: " ").dropFirst() else { throw Failure(door.output) }
            return words.map(String.init)
        }

        func add(_ number: Int) throws {
            let node = try spare()
            if !nodes.isEmpty {
                let joined = try node.chappe(try joinLine() + ["--name", "n\(number)"])
                #expect(joined.code == 0, "\(joined.output)")
            } else {
                let founded = try node.chappe("init", "--name", "n\(number)")
                #expect(founded.code == 0, "\(founded.output)")
            }
            nodes.append(node)
        }

        /// The key of an operator whom nobody here knows.
        func otherKey() throws -> String {
            let path = folder + "/other.key"
            let seed = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
            try Folder.write("operator ed25519 \(seed)\n", to: path)
            chmod(path, 0o600)
            return path
        }

        func expectOneOwner(of ids: [String], among nodes: [NodeProcess]) throws {
            for id in ids {
                let owners = try nodes.filter { try $0.chappe("queue", "show", id).code == 0 }
                #expect(owners.count == 1, "\(id) has \(owners.count) owners")
            }
        }

        /// Returns once every node in `who` sees so many members up.
        func agree(on count: Int, by who: [NodeProcess]? = nil) throws {
            for node in who ?? nodes {
                try Waiting.until("\(count) members are up: \(node.log.text)") {
                    let lines = try node.chappe("members", "--no-headers").output.split(separator: "\n")
                    return lines.filter { $0.hasPrefix("UN") }.count == count
                }
            }
        }
    }

    @Test("they find each other; who is killed is seen to be down, and up again after its start")
    func membership() async throws {
        try await Threads.run {
            let cluster = try Cluster(3)
            try cluster.nodes[2].crash()
            try cluster.agree(on: 2, by: Array(cluster.nodes[..<2]))
            let seen = try cluster.nodes[0].chappe("members", "--no-headers").output
            #expect(seen.contains("DN  n3"))
            try cluster.nodes[2].start()
            try cluster.nodes[2].waitForAdmin()
            try cluster.agree(on: 3)
        }
    }

    @Test("a printed join line is good after a restart of the member that printed it, and once only")
    func joinLineAfterRestart() async throws {
        try await Threads.run {
            let cluster = try Cluster(2)
            let words = try cluster.joinLine()
            try cluster.nodes[0].crash()
            try cluster.nodes[0].start()
            try cluster.nodes[0].waitForAdmin()
            try cluster.agree(on: 2)
            let node = try cluster.spare()
            let joined = try node.chappe(words + ["--name", "n3"])
            #expect(joined.code == 0, "\(joined.output)")
            try cluster.agree(on: 3, by: cluster.nodes + [node])
            let other = try cluster.spare()
            let refused = try other.chappe(words + ["--name", "n4"])
            #expect(refused.code == 2 && refused.output.contains("used already"), "\(refused.output)")
        }
    }

    @Test("a line that cannot be right hears soon why: bent, foreign, over, or at a door where nobody is")
    func wrongJoinLines() async throws {
        try await Threads.run {
            let (cluster, other) = (try Cluster(1), try Cluster(1))
            let (good, foreign) = (try cluster.joinLine(), try other.joinLine())
            let node = try cluster.spare()
            func join(_ door: String, _ token: String, _ code: Int32, _ words: String) throws {
                let start = ContinuousClock.now
                let answer = try node.chappe("join", door, "--token", token, "--name", "n9")
                #expect(answer.code == code && answer.output.contains(words), "\(answer)")
                #expect(ContinuousClock.now - start < .seconds(15))
            }
            var bent = good[3]
            let place = bent.index(bent.startIndex, offsetBy: 200)
            bent.replaceSubrange(place...place, with: bent[place] == "A" ? "B" : "A")
            try join(good[1], bent, 64, "this is no token")
            try join(good[1], foreign[3], 2, "what listens at \(good[1]) does not show the key")
            let port = try FreePort.take()
            try join("127.0.0.1:\(port)", good[3], 3, "nothing takes a connection at 127.0.0.1:\(port)")
            // Nothing was learnt, and nothing used up.
            let members = try cluster.nodes[0].chappe("members", "--no-headers").output
            #expect(members.split(separator: "\n").count == 1)
            #expect(try cluster.nodes[0].chappe("doctor").output.contains("did not know this node's key"))
            try join(good[1], good[3], 0, "n9 is a member of cluster")
        }
    }

    @Test("link keys change while the links stand")
    func rotation() async throws {
        try await Threads.run {
            let cluster = try Cluster(3)
            for round in 1...2 {
                for node in cluster.nodes {
                    try Waiting.until("round \(round): the change before is confirmed") {
                        try node.chappe("rotate-link-key").code == 0
                    }
                }
            }
            try cluster.agree(on: 3)
        }
    }

    @Test("who is evicted takes nothing and says so; an order by another key is nobody's")
    func eviction() async throws {
        try await Threads.run {
            let cluster = try Cluster(3)
            let evicted = cluster.nodes[2]
            let forged = try cluster.nodes[0].chappe(
                "force-leave", "n3", "--reason", "no operator", "--yes", "--operator-key",
                try cluster.otherKey())
            #expect(forged.code == 2, "\(forged.output)")
            try cluster.agree(on: 3)
            let word = try cluster.nodes[0].chappe("force-leave", "n3", "--reason", "gone", "--yes")
            #expect(word.code == 0, "\(word.output)")
            try cluster.agree(on: 2, by: Array(cluster.nodes[..<2]))
            try Waiting.until("the evicted node says so: \(evicted.log.text)") {
                let status = try evicted.chappe("status")
                return status.code == 2 && status.output.contains("evicted")
            }
            #expect(throws: Failure.self) {
                try Wire.session(evicted.port).deliver("Subject: x\r\n\r\n")
            }
        }
    }

    @Test("what one node counted about a host is shown by the other, with the name of who counted")
    func reputation() async throws {
        try await Threads.run {
            let cluster = try Cluster(2, listener: "proxy-protocol-from: [127.0.0.1], reputation: note")
            let wire = try Wire(port: cluster.nodes[0].port)
            wire.send("PROXY TCP4 198.51.100.9 127.0.0.1 4321 25\r\n")
            _ = wire.reply()
            _ = wire.ask("EHLO bad.example")
            _ = wire.ask("MAIL FROM:<a@bad.example>")
            #expect(wire.ask("RCPT TO:<victim@elsewhere.example>")?.hasPrefix("550 5.7.1") == true)
            for node in cluster.nodes {
                try Waiting.until("the other's word is heard") {
                    let shown = try node.chappe("reputation", "show", "198.51.100.9")
                    #expect(shown.code == 0, "\(shown.output)")
                    return shown.output.contains("n1") && shown.output.contains("refusedRelay 1.0")
                }
            }
        }
    }

    @Test("who was stopped or killed and started again leaves as others do", arguments: [SIGTERM, SIGKILL])
    func leavingInAnotherLife(signal: Int32) async throws {
        try await Threads.run {
            let cluster = try Cluster(3, isSilent: true)
            let leaver = cluster.nodes[2]
            let wire = try Wire.session(leaver.port)
            // The last one is larger than one piece of a store.
            let ids = try (1...20).map { number in
                let filler = String(repeating: "text of some length\r\n", count: number == 20 ? 30_000 : 1)
                return try wire.deliver("Subject: \(number)\r\n\r\n\(filler)", to: "user@example.net")
            }
            leaver.signal(signal)
            try leaver.waitForEnd()
            try leaver.start()
            try leaver.waitForAdmin()
            try cluster.agree(on: 3)
            let heirs = Array(cluster.nodes[..<2])
            try heirs[1].crash()
            try Waiting.until("the queue is given away") {
                try leaver.chappe("leave", "--no-wait").output.contains("has left")
            }
            try Waiting.until("it is heard to have left") {
                try heirs[0].chappe("members", "--no-headers").output.contains("DL  n3")
            }
            try leaver.crash()
            // Who heard it go knows so in his next life, and tells who was away.
            try heirs[0].crash()
            for heir in heirs {
                try heir.start()
                try heir.waitForAdmin()
            }
            try cluster.agree(on: 2, by: heirs)
            for heir in heirs {
                try Waiting.until("it is known to have left") {
                    try heir.chappe("members", "--no-headers").output.contains("DL  n3")
                }
            }
            try cluster.expectOneOwner(of: ids, among: heirs)
        }
    }

    @Test("an order to leave is obeyed once somebody is there to take the queue, in a later life too")
    func leavingByOrder() async throws {
        try await Threads.run {
            let cluster = try Cluster(2, isSilent: true)
            let (heir, leaver) = (cluster.nodes[0], cluster.nodes[1])
            let id = try Wire.session(leaver.port).deliver("Subject: x\r\n\r\n")
            try heir.crash()
            try cluster.agree(on: 1, by: [leaver])
            let refused = try leaver.chappe("leave")
            #expect(refused.code == 2, "\(refused.output)")
            #expect(refused.output.contains("no other member is there"), "\(refused.output)")
            for words in [[], ["--stay"], []] {
                let told = try leaver.chappe(["leave", "--node", "n2", "--no-wait"] + words)
                #expect(told.code <= 1, "\(told.output)")
            }
            // Nobody is there: its doors stay open, in this life and in the next.
            _ = try Wire.session(leaver.port).deliver("Subject: y\r\n\r\n")
            try leaver.crash()
            try leaver.start()
            try leaver.waitForAdmin()
            _ = try Wire.session(leaver.port).deliver("Subject: z\r\n\r\n")
            try heir.start()
            try heir.waitForAdmin()
            try Waiting.until("the leaver has left") {
                try heir.chappe("members", "--no-headers").output.contains("DL  n2")
            }
            try cluster.expectOneOwner(of: [id], among: [heir])
            let again = try leaver.chappe("leave")
            #expect(again.code == 0, "\(again.output)")
            try leaver.crash()
            try leaver.start()
            try leaver.waitForAdmin()
            let late = try leaver.chappe("leave")
            #expect(late.code == 0 && late.output.contains("has left"), "\(late.output)")
        }
    }

    @Test("who leaves gives every message to another node, and can join again")
    func leaving() async throws {
        try await Threads.run {
            let cluster = try Cluster(3, isSilent: true)
            let leaver = cluster.nodes[2]
            let wire = try Wire.session(leaver.port)
            let ids = try (1...50).map { number in
                try wire.deliver("Subject: \(number)\r\n\r\n", to: "user\(number)@example.net")
            }
            let told = try cluster.nodes[0].chappe("leave", "--node", "n3", "--reason", "a test", "--no-wait")
            #expect(told.code == 1, "begun, and not awaited: \(told.output)")
            let left = try leaver.chappe("leave", "--reason", "a test")
            #expect(left.code == 0, "\(left.output)")
            try cluster.expectOneOwner(of: ids, among: Array(cluster.nodes[..<2]))
            try cluster.agree(on: 2, by: Array(cluster.nodes[..<2]))
            try Waiting.until("it is let in again") {
                let line = try cluster.nodes[0].chappe("join-cmd").output.split(separator: "\n").first {
                    $0.hasPrefix("chappe join ")
                }
                let words = (line ?? "").split(separator: " ").dropFirst().map(String.init)
                return try leaver.chappe(words + ["--name", "n3"]).code == 0
            }
            try cluster.agree(on: 3)
            // What it gave away is others' for good.
            #expect(try leaver.chappe("queue", "ls", "--no-headers").output.isEmpty)
            // The order to leave is still said, and is older than its new admission.
            #expect(
                try cluster.nodes[1].chappe("host", "block", "203.0.113.9", "--reason", "a test").code == 0)
            try Waiting.until("it hears orders again") {
                try leaver.chappe("host", "ls").output.contains("203.0.113.9")
            }
            try cluster.agree(on: 3)
            let later = try Wire.session(leaver.port).deliver("Subject: x\r\n\r\n")
            let again = try leaver.chappe("leave", "--reason", "a test")
            #expect(again.code == 0, "\(again.output)")
            #expect(again.output.contains("1 of 1 message handed over"), "\(again.output)")
            try cluster.expectOneOwner(of: ids + [later], among: Array(cluster.nodes[..<2]))
        }
    }
}
