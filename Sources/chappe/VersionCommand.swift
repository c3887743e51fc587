import AdminClient
import AdminProtocol
import ArgumentParser
import RelayNode

/// `chappe version`: of this command, and of the node if one answers.
struct VersionCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "The version of this command and of the node.",
        discussion: "Exits 3 if the node does not answer.")

    @OptionGroup var node: NodeOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        screen.say("chappe \(NodeVersion.text)")
        let answer: VersionAnswer = try client.get("version")
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
