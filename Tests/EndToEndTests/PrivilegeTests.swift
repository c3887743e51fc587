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

    /// Both the check and the start refuse the configuration, in these words.
    private static func expectRefused(_ node: NodeProcess, _ words: String) throws {
        let check = try node.run("chappe", "config", "check", node.folder + "/chappe.yaml")
        #expect(check.code == 2 && check.output.contains(words), "\(check)")
        #expect(throws: Failure.self) { try node.start() }
        #expect(try node.waitForEnd() == 78)
        #expect(node.log.text.contains(words), "\(node.log.text)")
    }

    @Test("takes no file that its user could not read at a reload, and the check says so before")
    func rootsFile() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(
                .init(
                    user: "nobody", group: Self.nobodysGroup, sinkPort: sink.port,
                    extra: "authentication: {accounts: accounts}"), starts: false)
            let file = node.folder + "/accounts"
            try Folder.write("", to: file)
            chmod(file, 0o600)
            try Self.expectRefused(
                node,
                "12:28: error: `authentication.accounts`: the user nobody, as whom the node runs, may not read \(file)"
            )
            let nobody = try #require(getpwnam("nobody")?.pointee)
            chown(file, nobody.pw_uid, nobody.pw_gid)
            #expect(try node.run("chappe", "config", "check", node.folder + "/chappe.yaml").code == 0)
            try node.start()
            try node.waitForAdmin()
            #expect(try node.chappe("reload").code == 0)
        }
    }

    @Test("says at the start that its socket could not be given to a group that is not its user's")
    func foreignGroup() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(
                .init(user: "nobody", group: Self.nobodysGroup, adminGroup: "root", sinkPort: sink.port),
                starts: false)
            try Self.expectRefused(node, "error: `admin.group`: the user nobody is not in the group root")
        }
    }
}
