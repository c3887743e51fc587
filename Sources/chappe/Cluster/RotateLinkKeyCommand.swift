import AdminClient
import AdminProtocol
import ArgumentParser

/// `chappe rotate-link-key`: a new key for this node's links, while they stand.
struct RotateLinkKeyCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-link-key",
        abstract: "A new key for this node's links to the others, without a stop.",
        discussion: """
            The old key is good until every member has confirmed the new one; members that have left are not waited \
            for. Lines that `chappe join-cmd` printed here before may be good no longer: print others.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let answer: RotationAnswer = try client.send(EmptyBody(), to: "cluster/link-key")
        let waiting =
            answer.waiting.isEmpty
            ? "every member has confirmed it"
            : "not confirmed yet by \(answer.waiting.joined(separator: ", ")): until then the old key is good too"
        try screen.answer(
            form, answer, brief: answer.waiting,
            page: ["link key \(answer.serial) is used from now", Table.harmless(waiting)])
        return .ok
    }
}
