import Glibc
import Testing

/// What befalls members, and what the others make of it.
@Suite("Members that go, move, are stopped or restored", .serialized)
struct MemberTroubleTests {
    private typealias Cluster = ClusterTests.Cluster

    @Test("who has left in order is waited for by nothing")
    func left() async throws {
        try await Threads.run {
            let cluster = try Cluster(3)
            let (first, second, leaver) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            let left = try leaver.chappe("leave", "--reason", "a test")
            #expect(left.code == 0, "\(left.output)")
            for node in [first, second] {
                try Waiting.until("it has left") {
                    try node.chappe("members", "--no-headers").output.contains("DL  n3")
                }
            }
            let healthy = try first.chappe("await", "healthy", "--timeout", "20s")
            #expect(healthy.code == 0, "\(healthy.output)")
            let version = try first.chappe("version").output.split(separator: "\n")[1].split(separator: " ")[
                1]
            let same = try first.chappe("await", "version=\(version)", "--timeout", "5s")
            #expect(same.code == 0, "\(same.output)")
            for round in 1...2 {
                try Waiting.until("round \(round): the change before is confirmed") {
                    try first.chappe("rotate-link-key").code == 0
                }
            }
            try Waiting.until("the doctor finds nothing") { try first.chappe("doctor").code == 0 }
            let order = try first.chappe("host", "block", "203.0.113.9", "--reason", "a test")
            #expect(order.code == 0 && !order.output.contains("n3"), "\(order.output)")
        }
    }

    @Test("a new node is let in while the change of a link key waits for a member that is down")
    func doorWhileRotating() async throws {
        try await Threads.run {
            let cluster = try Cluster(2)
            let earlier = try cluster.joinLine()
            try cluster.nodes[1].crash()
            let begun = try cluster.nodes[0].chappe("rotate-link-key")
            #expect(begun.code == 0 && begun.output.contains("not confirmed yet by n2"), "\(begun.output)")
            let node = try cluster.spare()
            let joined = try node.chappe(try cluster.joinLine() + ["--name", "n3"])
            #expect(joined.code == 0, "\(joined.output)")
            #expect(try cluster.joinLine() != earlier)
            // And by a line of before a restart, which finds two keys.
            let line = try cluster.joinLine()
            try cluster.nodes[0].crash()
            try cluster.nodes[0].start()
            try cluster.nodes[0].waitForAdmin()
            try cluster.agree(on: 2, by: [cluster.nodes[0], node])
            let other = try cluster.spare()
            let late = try other.chappe(line + ["--name", "n4"])
            #expect(late.code == 0, "\(late.output)")
            try cluster.agree(on: 3, by: [cluster.nodes[0], node, other])
        }
    }

    @Test("a node that starts on other ports is found there by all, and by who was away meanwhile")
    func moved() async throws {
        try await Threads.run {
            let cluster = try Cluster(3)
            let (first, away, moved) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            for isOneAway in [false, true] {
                if isOneAway { try away.crash() }
                moved.signal(SIGTERM)
                try moved.waitForEnd()
                let port = try cluster.move(moved)
                try moved.start()
                try moved.waitForAdmin()
                if isOneAway {
                    try cluster.agree(on: 2, by: [first, moved])
                    try away.start()
                    try away.waitForAdmin()
                }
                try cluster.agree(on: 3)
                for node in cluster.nodes {
                    try Waiting.until("its place is known") {
                        try node.chappe("members", "--no-headers").output.contains("127.0.0.1:\(port) ")
                    }
                }
            }
            _ = try Wire.session(moved.port).deliver("Subject: x\r\n\r\n")
            try Waiting.until("it delivers") { !cluster.sink.messages.isEmpty }
        }
    }

    @Test("an order is told to whom has it: who is stopped is waited for, and who is evicted gives none")
    func told() async throws {
        try await Threads.run {
            let cluster = try Cluster(3)
            let (first, third) = (cluster.nodes[0], cluster.nodes[2])
            third.signal(SIGSTOP)
            let order = try first.chappe("host", "block", "203.0.113.9", "--reason", "a test")
            #expect(order.code == 1, "\(order.output)")
            #expect(order.output.contains("told     n2\n"), "\(order.output)")
            #expect(order.output.contains("waiting  n3: "), "\(order.output)")
            third.signal(SIGCONT)
            try Waiting.until("it hears the order") {
                try third.chappe("host", "ls").output.contains("203.0.113.9")
            }
            try cluster.agree(on: 3)
            let whole = try first.chappe("host", "release", "203.0.113.9")
            #expect(whole.code == 0 && whole.output.contains("told     n2, n3\n"), "\(whole.output)")

            let evicted = try first.chappe("force-leave", "n3", "--reason", "gone", "--yes")
            #expect(evicted.code == 0 && evicted.output.contains("told     n2\n"), "\(evicted.output)")
            try Waiting.until("it is evicted") { try third.chappe("status").output.contains("evicted") }
            for isRestarted in [false, true] {
                if isRestarted {
                    try third.crash()
                    try third.start()
                    try Waiting.until("it answers") { try third.chappe("status").code == 2 }
                }
                let vain = try third.chappe("host", "block", "203.0.113.10", "--reason", "a test")
                #expect(vain.code == 2 && !vain.output.contains("told"), "\(vain.output)")
            }
        }
    }

    @Test("a restored store is seen from the other members")
    func restored() async throws {
        try await Threads.run {
            let cluster = try Cluster(3)
            let (first, restored) = (cluster.nodes[0], cluster.nodes[2])
            restored.signal(SIGTERM)
            try restored.waitForEnd()
            try Self.copy(restored.folder + "/data", to: restored.folder + "/copy")
            try restored.start()
            try restored.waitForAdmin()
            try cluster.agree(on: 3)
            restored.signal(SIGTERM)
            try restored.waitForEnd()
            Folder.remove(restored.folder + "/data")
            try Self.copy(restored.folder + "/copy", to: restored.folder + "/data")
            try restored.start()
            for node in [first, restored] {
                try Waiting.until("it is in quarantine: \(restored.log.text)") {
                    try node.chappe("members", "--no-headers").output.contains("DQ  n3")
                }
            }
            let status = try first.chappe("status")
            #expect(status.code == 1 && status.output.contains("n3 delivers nothing"), "\(status.output)")
            let healthy = try first.chappe("await", "healthy", "--timeout", "1s")
            #expect(healthy.code == 1 && healthy.output.contains("n3"), "\(healthy.output)")
        }
    }

    private static func copy(_ folder: String, to other: String) throws {
        let process = try Program.spawn("/bin/cp", ["-a", folder, other], output: nil, errors: nil)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        guard status == 0 else { throw Failure("\(folder) cannot be copied") }
    }
}
