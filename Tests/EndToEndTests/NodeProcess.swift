import Glibc

/// A real `chapped` on loopback, with a folder of its own.
final class NodeProcess {
    let folder: String
    let port: UInt16
    /// What the process of the last start has said.
    private(set) var log: ProcessOutput!
    private var process: pid_t = 0
    /// Where the operator's key of its cluster lies.
    private let operatorKey: String?

    /// What the configuration says beside the listener and the route.
    struct Wishes {
        var greeting = "ESMTP"
        /// Whom it becomes, where root starts it.
        var user = Identity.user
        var group = Identity.group
        /// Who may open the admin socket; nil: `group`.
        var adminGroup: String?
        /// Further settings of the admin socket, with a comma before each.
        var admin = ""
        var sinkPort: UInt16
        /// Further settings of the listener.
        var listener = "dsn: false"
        var extra = ""
        var operatorKey: String?
    }

    /// Starts, and returns when clients can come.
    ///
    /// - Parameter starts: false: the test will, once the folder holds what it wants.
    init(_ wishes: Wishes, starts: Bool = true) throws {
        folder = try Folder.temporary()
        operatorKey = wishes.operatorKey
        port = try FreePort.take()
        try write(wishes)
        if let owner = getpwnam(wishes.user)?.pointee, owner.pw_uid != geteuid() {
            for path in [folder, folder + "/chappe.yaml"] { chown(path, owner.pw_uid, owner.pw_gid) }
        }
        if starts { try start() }
    }

    deinit {
        if process > 0 {
            kill(process, SIGKILL)
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
        Folder.remove(folder)
    }

    /// Starts it on what the folder holds.
    func start() throws {
        let output = ProcessOutput()
        process = try Program.spawn(
            "chapped", ["--config", folder + "/chappe.yaml"], output: nil, errors: output.writingEnd)
        output.begin()
        log = output
        try log.wait(for: "listening: mx")
    }

    func write(_ wishes: Wishes) throws {
        let settings = "greeting: \"\(wishes.greeting)\", \(wishes.listener)"
        try Folder.write(
            """
            hostname: relay.example.test
            postmaster: postmaster@example.test
            data-directory: \(folder)/data
            user: "\(wishes.user)"
            group: "\(wishes.group)"
            listeners:
              - {name: mx, kind: mx, address: "127.0.0.1:\(port)", tls: none, \(settings)}
            relay: {networks: [127.0.0.0/8]}
            routes: {default: {smarthost: "127.0.0.1:\(wishes.sinkPort)", tls: none}}
            admin: {socket: \(folder)/admin.sock, group: "\(wishes.adminGroup ?? wishes.group)"\(wishes.admin)}
            events: {file: \(folder)/events.jsonl}
            \(wishes.extra)

            """, to: folder + "/chappe.yaml")
    }

    /// What the kernel says of each thread, by its number.
    func threads() -> [String: String] {
        let folder = "/proc/\(process)/task"
        guard let listing = opendir(folder) else { return [:] }
        defer { closedir(listing) }
        var threads: [String: String] = [:]
        while let entry = readdir(listing) {
            let thread = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int(thread) != nil else { continue }
            threads[thread] = Folder.text("\(folder)/\(thread)/status")
        }
        return threads
    }

    func signal(_ number: Int32) { kill(process, number) }

    /// The exit code, or minus the signal that ended it.
    @discardableResult
    func waitForEnd() throws -> Int32 {
        var status: Int32 = 0
        try Waiting.until("the node ends; it said: \(log.text)") {
            waitpid(process, &status, WNOHANG) == process
        }
        process = 0
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 : -signal
    }

    /// Ends it as a broken machine would.
    func crash() throws {
        signal(SIGKILL)
        try waitForEnd()
    }

    /// Runs `chappe` against this node.
    func chappe(_ arguments: String...) throws -> (code: Int32, output: String) { try chappe(arguments) }

    func chappe(_ arguments: [String]) throws -> (code: Int32, output: String) {
        try run("chappe", arguments + ["--socket", folder + "/admin.sock"])
    }

    /// Runs a program that needs no node.
    func run(_ name: String, _ arguments: String...) throws -> (code: Int32, output: String) {
        try run(name, arguments)
    }

    private func run(_ name: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let output = ProcessOutput()
        let process = try Program.spawn(
            name, arguments, environment: operatorKey.map { ["CHAPPE_OPERATOR_KEY=\($0)"] } ?? [],
            output: output.writingEnd, errors: output.writingEnd)
        output.begin()
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return (status >> 8, output.whole())
    }

    /// Returns once the admin socket answers.
    func waitForAdmin() throws {
        try Waiting.until("chappe status answers") { try chappe("status").code <= 1 }
    }
}
