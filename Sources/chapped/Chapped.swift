import ArgumentParser
import Glibc
import RelayNode

/// The node.
@main
struct Chapped: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chapped", abstract: "A node of the mail relay Chappe.", version: NodeVersion.text)

    @Option(help: "The configuration file.")
    var config = "/etc/chappe/chappe.yaml"

    func run() async throws {
        do {
            let (node, sockets) = try RelayNode.open(path: config)
            let signals = try Signals([
                SIGTERM: { node.stop() },
                SIGINT: { node.stop() },
                SIGHUP: { _ = node.reload(by: "signal") },
                SIGUSR1: { node.reopenEvents() },
            ])
            defer { withExtendedLifetime(signals) {} }
            try await node.run(sockets)
        } catch {
            NodeLog.say("error: \(error)")
            throw ExitCode(error.exit.rawValue)
        }
    }
}
