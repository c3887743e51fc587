import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues

/// `chappe explain ID`: everything that happened to a message, and why.
struct ExplainCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Everything that happened to a message, in order.",
        discussion: "The id stands in the 250 to the sender, in Received, and in every event.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @Argument(help: "The id, whole.") var id: String

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let resource = "explain/\(try MessageID.checked(id))"
        // As it came: the node writes the fields of an event in the order in which they were recorded.
        if form.output == .json {
            screen.put(try client.octets(resource) + [0x0A])
            return .ok
        }
        let explanation: Explanation = try client.get(resource)
        try screen.answer(
            form, explanation, rows: explanation.events,
            page: Story.lines(explanation, wide: form.output == .wide, now: screen.now))
        return .ok
    }
}
