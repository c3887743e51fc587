import AdminSupport
import ArgumentParser
import Cryptography
import Glibc
import Testing

@testable import chappe

@Suite("chappe account")
struct AccountCommandTests {
    private func add(_ directory: String, _ arguments: [String], password: String) throws -> CommandRun {
        var output = ""
        var errors = ""
        let screen = Screen(
            output: { output += String(decoding: $0, as: UTF8.self) },
            errors: { errors += String(decoding: $0, as: UTF8.self) }, now: CommandRun.now)
        let command = try Chappe.parseAsRoot(
            ["account", "add", "--iterations", "4096", "--file", "\(directory)/accounts"] + arguments)
        guard let command = command as? AccountAddCommand else {
            return CommandRun(outcome: .usage, output: "", errors: "another command")
        }
        let outcome = Complaint.caught(on: screen) { try command.perform(on: screen) { password } }
        return CommandRun(outcome: outcome, output: output, errors: errors)
    }

    @Test("add, change, list and remove work on a file that its owner alone may read")
    func life() async throws {
        try await AdminHarness.inDirectory { directory throws in
            let file = ["--file", "\(directory)/accounts"]
            #expect(
                try add(directory, ["Alice", "--sender", "@example.org"], password: "one").outcome == .ok)
            #expect(
                try add(directory, ["bob", "--sender", "bob@example.org"], password: "two").outcome == .ok)
            #expect(try add(directory, ["alice"], password: "three").output.hasPrefix("alice changed"))
            var entry = stat()
            #expect(stat("\(directory)/accounts", &entry) == 0 && entry.st_mode & 0o777 == 0o600)

            let list = try CommandRun.here(["account", "ls"] + file)
            #expect(
                list.output == """
                    NAME   SENDERS          ROUNDS
                    alice  @example.org       4096
                    bob    bob@example.org    4096

                    """)
            let accounts = try AccountFileOptions.parse(file).load()
            #expect(accounts[0].verifier.accepts(password: Array("three".utf8)))
            #expect(!accounts[0].verifier.accepts(password: Array("one".utf8)))

            #expect(try CommandRun.here(["account", "rm", "ALICE"] + file).outcome == .ok)
            #expect(try CommandRun.here(["account", "rm", "alice"] + file).outcome == .partial)
            #expect(try CommandRun.here(["account", "ls", "-q"] + file).output == "bob\n")
        }
    }

    @Test("a new account wants senders, and a password that is one")
    func refused() async throws {
        try await AdminHarness.inDirectory { directory throws in
            #expect(try add(directory, ["alice"], password: "one").outcome == .usage)
            #expect(
                try add(directory, ["alice", "--sender", "@example.org"], password: "").outcome == .usage)
            #expect(
                try add(directory, ["a b", "--sender", "@example.org"], password: "one").outcome == .usage)
            #expect(access("\(directory)/accounts", F_OK) != 0)
        }
    }

    @Test("senders that can be none are a mistake of usage", arguments: ["", "a b", "a@", "a,b@example.org"])
    func senders(_ sender: String) throws {
        #expect(try CommandRun.here(["account", "add", "alice", "--sender", sender]).outcome == .usage)
    }

    @Test("a file that others may read is refused, with what to do")
    func notPrivate() async throws {
        try await AdminHarness.inDirectory { directory throws in
            let path = "\(directory)/accounts"
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            chmod(path, 0o644)
            let run = try CommandRun.here(["account", "ls", "--file", path])
            #expect(run.outcome == .refused && run.errors.contains("chmod 600"))
        }
    }
}
