import AdminProtocol
import ArgumentParser

/// `chappe queue release`
struct QueueReleaseCommand: QueueChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Takes a hold away.")
    static let action = QueueAction.release
    static let usualReason: String? = "released by an operator"

    @OptionGroup var node: NodeOptions
    @OptionGroup var change: ChangeOptions
}
