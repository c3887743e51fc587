import AdminProtocol
import ArgumentParser

/// `chappe queue hold`
struct QueueHoldCommand: QueueChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "No attempt for these messages until they are released.")
    static let action = QueueAction.hold
    static let usualReason: String? = nil

    @OptionGroup var node: NodeOptions
    @OptionGroup var change: ChangeOptions
}
