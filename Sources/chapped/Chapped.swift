import ArgumentParser
import Dispatch
import Glibc
import RelayNode
import Synchronization

/// The node.
///
/// Not an `AsyncParsableCommand`: under an `async` main the first thread leaves through pthread_exit and stays as a
/// shadow that setuid no longer reaches, root for as long as the process lives.
@main
struct Chapped: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chapped", abstract: "A node of the mail relay Chappe.", version: NodeVersion.text)

    @Option(help: "The configuration file.")
    var config = "/etc/chappe/chappe.yaml"

    func run() throws {
        do {
            let (node, sockets) = try RelayNode.open(path: config)
            let signals = try Signals([
                SIGTERM: { node.stop() },
                SIGINT: { node.stop() },
                SIGHUP: { _ = node.reload(by: "signal") },
                SIGUSR1: { node.reopenEvents() },
            ])
            defer { withExtendedLifetime(signals) {} }
            try waitHere { () async throws(NodeError) in try await node.run(sockets) }
        } catch {
            NodeLog.say("error: \(error)")
            throw ExitCode(error.exit.rawValue)
        }
    }

    /// Runs it on the threads of the language, while the first thread waits as an ordinary one.
    private func waitHere(
        for work: @escaping @Sendable () async throws(NodeError) -> Void
    ) throws(NodeError) {
        let failure = Mutex<NodeError?>(nil)
        let isOver = DispatchSemaphore(value: 0)
        Task {
            do throws(NodeError) { try await work() } catch { failure.withLock { $0 = error } }
            isOver.signal()
        }
        isOver.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
