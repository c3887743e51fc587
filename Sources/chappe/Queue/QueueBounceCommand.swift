import AdminProtocol
import ArgumentParser

/// `chappe queue bounce`
struct QueueBounceCommand: QueueChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "bounce", abstract: "Gives messages up; their senders hear of it. Cannot be taken back.")
    static let action = QueueAction.bounce
    static let usualReason: String? = nil

    @OptionGroup var node: NodeOptions
    @OptionGroup var change: ChangeOptions
}
