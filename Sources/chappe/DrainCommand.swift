import AdminClient
import AdminProtocol
import ArgumentParser
import Membership

/// `chappe drain`: no new sessions; what the node holds, it delivers.
struct DrainCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "A node takes no new sessions, and goes on delivering.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var other: OtherMemberOptions

    @Option(name: .long, help: "Why: goes into the record.")
    var reason: String

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let given = try other.give(.drain, "drains", reason: reason, client, form, on: screen)
        if let given { return given.outcome }
        try DrainPage.tell(client.send(DrainRequest(reason: reason), to: "drain"), form, on: screen)
        return .ok
    }
}

/// `chappe undrain`
struct UndrainCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "A node takes sessions again.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var other: OtherMemberOptions

    @Option(name: .long, help: "Why: goes into the record.")
    var reason = "taken back by an operator"

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let given = try other.give(
            .drain, "takes mail again", isLifted: true, reason: reason, client, form, on: screen)
        if let given { return given.outcome }
        try DrainPage.tell(
            client.send(DrainRequest(reason: reason), to: "drain", method: "DELETE"), form, on: screen)
        return .ok
    }
}

enum DrainPage {
    static func tell(_ answer: DrainAnswer, _ form: OutputOptions, on screen: Screen) throws {
        let sentence =
            "\(answer.isDraining ? "draining" : "taking mail"): \(Wording.count(answer.sessions, "session")), "
            + "\(Wording.count(answer.activeDeliveries)) being delivered, "
            + "\(Wording.count(answer.queuedMessages)) in the queue"
        try screen.answer(form, answer, page: [sentence])
    }
}
