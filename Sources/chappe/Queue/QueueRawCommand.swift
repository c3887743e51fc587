import AdminClient
import ArgumentParser

/// `chappe queue raw ID`: the octets of a message. A right apart, and each use is logged.
struct QueueRawCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "raw", abstract: "The octets of a message, on standard output.",
        discussion: "Who may do so is set apart in the node's configuration; each use becomes an event.")

    @OptionGroup var node: NodeOptions
    @Argument(help: "The id, whole.") var id: String

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        screen.put(try client.octets("queue/\(try MessageID.checked(id))/raw"))
        return .ok
    }
}
