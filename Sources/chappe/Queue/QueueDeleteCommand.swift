import AdminProtocol
import ArgumentParser

/// `chappe queue delete`
struct QueueDeleteCommand: QueueChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes messages; nobody hears of it. Cannot be taken back.")
    static let action = QueueAction.delete
    static let usualReason: String? = nil

    @OptionGroup var node: NodeOptions
    @OptionGroup var change: ChangeOptions
}
