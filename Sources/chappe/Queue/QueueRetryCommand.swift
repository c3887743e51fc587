import AdminProtocol
import ArgumentParser

/// `chappe queue retry`
struct QueueRetryCommand: QueueChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Makes messages due now.")
    static let action = QueueAction.retry
    static let usualReason: String? = "retried by an operator"

    @OptionGroup var node: NodeOptions
    @OptionGroup var change: ChangeOptions
}
