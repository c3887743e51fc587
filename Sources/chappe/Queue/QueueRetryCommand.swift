import AdminProtocol
import ArgumentParser

/// `chappe queue retry`
struct QueueRetryCommand: QueueChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Makes messages due now.",
        discussion: "Not those that are held: `chappe queue release` lets them go.")
    static let action = QueueAction.retry
    static let usualReason: String? = "retried by an operator"

    @OptionGroup var node: NodeOptions
    @OptionGroup var change: ChangeOptions
}
