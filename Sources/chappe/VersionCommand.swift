import AdminClient
import AdminProtocol
import ArgumentParser
import RelayNode

/// `chappe version`: of this command, and of the node if one answers.
struct VersionCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "The version of this command and of the node.")

    @OptionGroup var node: NodeOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        screen.say("chappe \(NodeVersion.text)")
        // No node is no failure: the question was about this command too.
        guard let answer = try? client.get("version") as VersionAnswer else { return .ok }
        screen.say("node   \(answer.version) (\(answer.hostname))")
        return .ok
    }
}

/// `chappe metrics`: the page that Prometheus reads, where no metrics listener is configured.
struct MetricsCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "The page that Prometheus reads.")

    @OptionGroup var node: NodeOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        screen.put(try client.octets("metrics"))
        return .ok
    }
}
