import Glibc
import Testing

// Within the suite of clusters, since each sets the operator key for the whole process.
extension ClusterTests {
    @Suite("Real nodes whose mail must not go out unasked")
    struct QuarantineTests {
        private static func copy(_ from: String, to: String) throws {
            let process = try Program.spawn("/bin/cp", ["-a", from, to], output: nil, errors: nil)
            var status: Int32 = 0
            waitpid(process, &status, 0)
            guard status == 0 else { throw Failure("\(from) was not copied to \(to)") }
        }

        private static func expectBarred(_ node: NodeProcess, _ why: String) throws {
            try Waiting.until("it takes no mail: \(node.log.text)") {
                let status = try node.chappe("status").output
                return status.contains("STOPPED: ") && status.contains(why)
            }
            let wire = try Wire.session(node.port)
            #expect(wire.ask("MAIL FROM:<sender@example.test>")?.hasPrefix("451 4.3.2 ") == true)
            #expect(try node.chappe("metrics").output.contains("chappe_intake_stopped 1"))
            let undrained = try node.chappe("undrain")
            #expect(undrained.code == 2, "\(undrained.output)")
        }

        private static func expectHeld(_ node: NodeProcess, _ reason: String, _ sink: Sink) throws {
            let status = try node.chappe("status").output
            #expect(status.contains("everything that was queued is held: \(reason)"), "\(status)")
            _ = try node.chappe("queue", "retry", "--all", "--yes", "--reason", "a test")
            let before = sink.messages
            _ = try Wire.session(node.port).deliver("Subject: new\r\n\r\n")
            // What came later went: what was held had its chance.
            try sink.wait(for: before.count + 1)
            #expect(numbered(sink) == before.count { !$0.contains("Subject: new") })
        }

        /// What was queued before; of what came later one may go twice, where its node is killed right after.
        private static func numbered(_ sink: Sink) -> Int {
            sink.messages.count { !$0.contains("Subject: new") }
        }

        @Test(
            "a restored node gives its queue to nobody and takes none; started again it is a member, and holds all of it"
        )
        func restored() async throws {
            try await Threads.run {
                let cluster = try Cluster(3, isSilent: true)
                let node = cluster.nodes[2]
                for number in 1...5 { _ = try Wire.session(node.port).deliver("Subject: \(number)\r\n\r\n") }
                try node.crash()
                try Self.copy(node.folder + "/data", to: node.folder + "/data.old")
                cluster.sink.speak()
                try node.start()
                try cluster.sink.wait(for: 5)
                try cluster.agree(on: 3)
                try node.crash()
                rename(node.folder + "/data", node.folder + "/data.gone")
                rename(node.folder + "/data.old", node.folder + "/data")
                try node.start()
                try Self.expectBarred(node, "the store is older than what the members saw")
                for words in [["leave"], ["leave", "--no-wait"]] {
                    let refused = try node.chappe(words)
                    #expect(refused.code == 2, "\(refused.output)")
                    #expect(refused.output.contains("restart it"), "\(refused.output)")
                }
                let canStop = try node.chappe("can-stop")
                #expect(
                    canStop.code == 2 && canStop.output.contains("5 queued messages"), "\(canStop.output)")
                try node.crash()
                try node.start()
                try node.waitForAdmin()
                try cluster.agree(on: 3)
                try Self.expectHeld(node, "the members saw later starts", cluster.sink)
                let left = try node.chappe("leave")
                #expect(left.code == 0 && left.output.contains("5 of 5"), "\(left.output)")
                let heirs = Array(cluster.nodes[..<2])
                let held = try heirs.map { try $0.chappe("queue", "ls", "--state", "held", "-q").output }
                #expect(held.joined().split(separator: "\n").count == 5)
                #expect(Self.numbered(cluster.sink) == 5)
            }
        }

        @Test("a copied node that was given a key of its own holds what it copied, and joins as another")
        func copied() async throws {
            try await Threads.run {
                let cluster = try Cluster(2, isSilent: true)
                let original = cluster.nodes[1]
                for number in 1...5 {
                    _ = try Wire.session(original.port).deliver("Subject: \(number)\r\n\r\n")
                }
                let copy = try cluster.spare()
                try original.crash()
                try copy.crash()
                Folder.remove(copy.folder + "/data")
                try Self.copy(original.folder + "/data", to: copy.folder + "/data")
                cluster.sink.speak()
                try original.start()
                try cluster.sink.wait(for: 5)
                try copy.start()
                try Self.expectBarred(copy, "hears none of them")
                let leave = try copy.chappe("leave")
                #expect(leave.code == 2 && leave.output.contains("hears none of them"), "\(leave.output)")
                try copy.crash()
                for key in ["node.key", "link.key"] { unlink(copy.folder + "/data/" + key) }
                for _ in 1...2 {
                    try copy.start()
                    try copy.waitForAdmin()
                    try Self.expectHeld(copy, "queued under another node's key", cluster.sink)
                    try copy.crash()
                }
                try copy.start()
                try copy.waitForAdmin()
                let joined = try copy.chappe(try cluster.joinLine() + ["--name", "n3"])
                #expect(joined.code == 0, "\(joined.output)")
                try cluster.agree(on: 3, by: cluster.nodes + [copy])
                try Self.expectHeld(copy, "queued under another node's key", cluster.sink)
                #expect(Self.numbered(cluster.sink) == 5)
            }
        }

        @Test(
            "who was evicted takes no mail, now and after a start, and cannot leave; force-leave says how much goes with it"
        )
        func evicted() async throws {
            try await Threads.run {
                let cluster = try Cluster(3, isSilent: true)
                let node = cluster.nodes[2]
                for number in 1...3 { _ = try Wire.session(node.port).deliver("Subject: \(number)\r\n\r\n") }
                try Waiting.until("its queue is known") {
                    try cluster.nodes[0].chappe("members", "-o", "json").output.contains(
                        "\"queuedMessages\" : 3")
                }
                let word = try cluster.nodes[0].chappe(
                    "force-leave", "n3", "--reason", "gone", "--yes", "-o", "json")
                #expect(word.code == 0 && word.output.contains("\"messages\" : 3"), "\(word.output)")
                for _ in 1...2 {
                    try Self.expectBarred(node, "evicted from its cluster")
                    let leave = try node.chappe("leave")
                    #expect(leave.code == 2 && leave.output.contains("evicted"), "\(leave.output)")
                    #expect(try node.chappe("status").output.contains("draining") == false)
                    try node.crash()
                    try node.start()
                }
                cluster.sink.speak()
                _ = try node.chappe("queue", "retry", "--all", "--yes", "--reason", "a test")
                _ = try Wire.session(cluster.nodes[0].port).deliver("Subject: x\r\n\r\n")
                // What a member took went: what the evicted one holds had its chance.
                try cluster.sink.wait(for: 1)
                #expect(cluster.sink.messages.count == 1)
            }
        }

        @Test("who has left takes no mail, now and after a start, until it is in a cluster again")
        func left() async throws {
            try await Threads.run {
                let cluster = try Cluster(2, isSilent: true)
                let (heir, node) = (cluster.nodes[0], cluster.nodes[1])
                _ = try Wire.session(node.port).deliver("Subject: x\r\n\r\n")
                let drained = try heir.chappe("drain", "--reason", "a test")
                #expect(drained.code == 0, "\(drained.output)")
                try Waiting.until("the drained one is seen") {
                    try node.chappe("members", "--no-headers").output.contains("UD  n1")
                }
                let refused = try node.chappe("leave")
                #expect(refused.code == 2 && refused.output.contains("drained: n1"), "\(refused.output)")
                #expect(try heir.chappe("undrain").code == 0)
                try cluster.agree(on: 2)
                let left = try node.chappe("leave")
                #expect(left.code == 0 && left.output.contains("1 of 1 message"), "\(left.output)")
                #expect(try node.chappe("undrain").code == 2)
                _ = try heir.chappe("undrain", "--node", "n2")
                try node.crash()
                try node.start()
                try node.waitForAdmin()
                try Self.expectBarred(node, "has left its cluster")
                #expect(try node.chappe("status").output.contains("`chappe join-cmd` prints on a member"))
                #expect(try node.chappe("members", "--no-headers").output.hasPrefix("DL  "))
                #expect(try node.chappe("queue", "ls", "--no-headers").output.isEmpty)
                let again = try node.chappe("leave")
                #expect(again.code == 0 && again.output.contains("has left"), "\(again.output)")
                let founded = try node.chappe(
                    "init", "--name", "alone", "--operator-key", node.folder + "/operator.key")
                #expect(founded.code == 0, "\(founded.output)")
                _ = try Wire.session(node.port).deliver("Subject: y\r\n\r\n")
            }
        }
    }
}
