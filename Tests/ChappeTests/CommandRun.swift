import AdminClient
import AdminProtocol
import AdminSupport
import ArgumentParser
import MailValues

@testable import chappe

/// What a command did, as a person or a script sees it.
struct CommandRun: Sendable {
    var outcome: Outcome
    var output: String
    var errors: String

    /// The time of day in all commands and nodes here, however long a busy machine takes.
    static let now = Timestamp(seconds: 1_800_000_000)

    /// Runs one command as the shell would, against a real socket. `answer`: what a person says; nil: nobody
    /// is there.
    static func of(
        _ arguments: [String], _ backend: FakeBackend = FakeBackend(), cluster: FakeCluster? = nil,
        answer: String? = nil, isTerminal: Bool = false, wait: @escaping Wait = { _ in nil }
    ) async throws -> CommandRun {
        try await AdminHarness.serving(backend, cluster: cluster) {
            try here(
                arguments + ["--socket", $0.path], answer: answer, isTerminal: isTerminal, wait: wait)
        }
    }

    /// What happens while a command waits; nil: nobody looks any more.
    typealias Wait = @Sendable (Duration) -> Timestamp?

    /// The same without a node.
    static func here(
        _ arguments: [String], answer: String? = nil, isTerminal: Bool = false,
        wait: @escaping Wait = { _ in nil }
    ) throws -> CommandRun {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        let screen = Screen(
            output: { output += $0 }, errors: { errors += $0 },
            question: answer.map { answer in { _ in answer } }, isTerminal: isTerminal, wait: wait, now: now)
        let command: any ParsableCommand
        do {
            command = try Chappe.parseAsRoot(arguments)
        } catch {
            let code = Outcome(rawValue: Chappe.exitCode(for: error).rawValue) ?? .refused
            return CommandRun(outcome: code, output: "", errors: Chappe.message(for: error))
        }
        guard let command = command as? any ScreenCommand else {
            return CommandRun(outcome: .usage, output: "", errors: "not a command that does something")
        }
        let outcome = Complaint.caught(on: screen) { try command.perform(on: screen) }
        return CommandRun(
            outcome: outcome, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }
}

extension FakeBackend {
    /// A queue of so many messages, each with a recipient at `example.org`.
    static func holding(_ count: Int, state entryState: QueueEntry.State = .waiting) -> FakeBackend {
        let backend = FakeBackend()
        backend.with { state in
            state.entries = (0..<count).map { number in
                let digits = String(number)
                let id = "01JC938NKRKAY0000003" + String(repeating: "0", count: 6 - digits.count) + digits
                return QueueEntry(
                    id: id, state: entryState,
                    acceptedAt: Moment(CommandRun.now - .seconds(3600 * (number + 1) + 600)),
                    sender: number % 2 == 0 ? "news@example.com" : "", sizeOctets: 4096, listener: "mx",
                    client: "203.0.113.9", nextAttempt: Moment(CommandRun.now + .seconds(330)),
                    recipients: [
                        .init(
                            address: "bob\(number)@example.org", state: .waiting, attempts: number,
                            lastReply: "450 4.7.1 \u{1B}[31mGreylisted\u{202E}")
                    ])
            }
            state.now = CommandRun.now
        }
        return backend
    }
}
