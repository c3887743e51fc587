import Glibc
import Testing

@Suite("A node that root starts", .serialized, .enabled(if: geteuid() == 0))
struct PrivilegeTests {
    /// Lines of /proc/PID/task/TID/status that say whose a thread is and what it may do.
    private static func rights(_ status: String) -> [String: [String]] {
        var rights: [String: [String]] = [:]
        for line in status.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let name = words.first, ["Uid:", "Gid:", "Groups:"].contains(name) || name.hasPrefix("Cap")
            else { continue }
            rights[name] = Array(words.dropFirst())
        }
        return rights
    }

    private static func expectNobody(_ node: NodeProcess) throws {
        let nobody = try #require(getpwnam("nobody")?.pointee)
        let threads = node.threads()
        // The first one, loops, the store's, the resolver's.
        #expect(threads.count > 4)
        for (thread, status) in threads {
            let rights = rights(status)
            #expect(rights["Uid:"] == Array(repeating: "\(nobody.pw_uid)", count: 4), "\(thread): \(status)")
            #expect(rights["Gid:"] == Array(repeating: "\(nobody.pw_gid)", count: 4), "\(thread): \(status)")
            #expect(rights["Groups:"]?.contains("0") == false, "\(thread): \(status)")
            for name in ["CapPrm:", "CapEff:", "CapInh:", "CapAmb:"] {
                #expect(rights[name] == ["0000000000000000"], "\(thread) \(name): \(status)")
            }
        }
    }

    private static var nobodysGroup: String {
        getpwnam("nobody").flatMap { getgrgid($0.pointee.pw_gid) }
            .map { String(cString: $0.pointee.gr_name) } ?? "nogroup"
    }

    @Test("keeps nothing of root in any thread, the first one included, alone and in a cluster")
    func everyThread() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(
                .init(
                    user: "nobody", group: Self.nobodysGroup, sinkPort: sink.port,
                    extra: "cluster: {address: 127.0.0.1, port: \(try FreePort.take(run: 5))}"))
            _ = try Wire.session(node.port).deliver("Subject: x\r\n\r\n")
            try sink.wait(for: 1)
            try node.waitForAdmin()
            try Self.expectNobody(node)
            let key = node.folder + "/operator.key"
            let founded = try node.chappe("init", "--name", "n1", "--operator-key", key)
            #expect(founded.code == 0, "\(founded.output)")
            try Self.expectNobody(node)
            node.signal(SIGHUP)
            try node.log.wait(for: "configuration reloaded")
            node.signal(SIGTERM)
            #expect(try node.waitForEnd() == 0)
        }
    }
}
