import Glibc
import Testing

@Suite("The configuration of a real node", .serialized)
struct ConfigurationTests {
    /// A file that is not as it should be, and the setting that names it.
    struct Fault: CustomTestStringConvertible {
        var testDescription: String
        var certificate = PEMFixture.certificate
        var key = PEMFixture.key
        var accounts = ""
        var group = Identity.group
        var extra = ""
        /// A part of the only error.
        var words: String
    }

    private static let faults = [
        Fault(
            testDescription: "foreign key", key: PEMFixture.otherKey,
            words: "13:49: error: `tls.certificates[0].key`: the key does not belong to the certificate"),
        Fault(
            testDescription: "no certificate", certificate: "junk\n",
            words: "13:36: error: `tls.certificates[0].certificate`: no certificate in"),
        Fault(
            testDescription: "broken account", accounts: "carl nonsense\n",
            words: "12:28: error: `authentication.accounts`: "),
        Fault(
            testDescription: "password file without a password",
            extra: "credentials: {hub: {user: me, password-file: junk}}",
            words: "14:46: error: `credentials.hub.password-file`: "),
        Fault(
            testDescription: "unknown group", group: "no-such-group-here",
            words: "5:8: error: `group`: there is no group no-such-group-here"),
    ]

    private static let start =
        "authentication: {accounts: accounts}\n"
        + "tls: {certificates: [{certificate: mx.crt, key: mx.key}]}\n"

    private static func fill(_ folder: String, _ fault: Fault) throws {
        try Folder.write(fault.certificate, to: folder + "/mx.crt")
        try Folder.write("\n", to: folder + "/junk")
        try Folder.write(fault.key, to: folder + "/mx.key")
        try Folder.write(fault.accounts, to: folder + "/accounts")
        for name in ["junk", "mx.key", "accounts"] { chmod("\(folder)/\(name)", 0o600) }
    }

    @Test("is refused by the check, the start and the reload alike, in the same words", arguments: faults)
    func sameWords(_ fault: Fault) async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let good = Fault(testDescription: "", words: "")
            let node = try NodeProcess(.init(sinkPort: sink.port), starts: false)
            func write(_ fault: Fault) throws {
                try Self.fill(node.folder, fault)
                try node.write(
                    .init(
                        group: fault.group, adminGroup: Identity.group, sinkPort: sink.port,
                        extra: Self.start + fault.extra))
            }
            try write(fault)
            let check = try node.run("chappe", "config", "check", node.folder + "/chappe.yaml")
            #expect(check.code == 2 && check.output.contains(fault.words), "\(check)")
            #expect(throws: Failure.self) { try node.start() }
            #expect(try node.waitForEnd() == 78)
            #expect(node.log.text.contains(fault.words), "\(node.log.text)")
            try write(good)
            #expect(try node.run("chappe", "config", "check", node.folder + "/chappe.yaml").code == 0)
            try node.start()
            try node.waitForAdmin()
            try write(fault)
            let reload = try node.chappe("reload")
            #expect(reload.code == 2 && reload.output.contains(fault.words), "\(reload)")
            #expect(reload.output.contains("Nothing was changed."))
            let status = try node.chappe("status")
            #expect(status.output.contains(fault.words), "\(status)")
        }
    }

    @Test("is warned of where a certificate has ended")
    func endedCertificate() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let wishes = NodeProcess.Wishes(sinkPort: sink.port, extra: Self.start)
            let node = try NodeProcess(wishes, starts: false)
            try Self.fill(
                node.folder, Fault(testDescription: "", certificate: PEMFixture.ended, words: ""))
            let check = try node.run("chappe", "config", "check", node.folder + "/chappe.yaml")
            #expect(check.code == 0)
            #expect(
                check.output.contains("13:36: warning: `tls.certificates[0].certificate`: ")
                    && check.output.contains("mx.crt ended at 2021-"), "\(check)")
            try node.start()
            #expect(node.log.text.contains("mx.crt ended at 2021-"))
        }
    }

    @Test("is not put in force by half where a part of it takes a restart, by command or by signal")
    func restartSettings() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(.init(greeting: "ESMTP first", sinkPort: sink.port))
            try node.waitForAdmin()
            try node.write(.init(greeting: "ESMTP second", sinkPort: sink.port, extra: "event-loops: 3"))
            let words = "chappe.yaml:12:14: error: `event-loops` has changed, and only a restart"
            node.signal(SIGHUP)
            try node.log.wait(for: "reload refused")
            #expect(node.log.text.contains(words), "\(node.log.text)")
            #expect(!node.log.text.contains("configuration reloaded"))
            let reload = try node.chappe("reload")
            #expect(reload.code == 2 && reload.output.contains(words), "\(reload)")
            #expect(try Wire(port: node.port).reply()?.hasSuffix(" first") == true)
            let status = try node.chappe("status")
            #expect(status.code == 1 && status.output.contains(words), "\(status)")
            // Without that part it is taken, and forgiven.
            try node.write(.init(greeting: "ESMTP second", sinkPort: sink.port))
            #expect(try node.chappe("reload").code == 0)
            #expect(try Wire(port: node.port).reply()?.hasSuffix(" second") == true)
            #expect(try !node.chappe("status").output.contains("refused at"))
        }
    }
}
