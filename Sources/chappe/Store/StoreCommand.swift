import AdminClient
import AdminProtocol
import ArgumentParser

/// `chappe store …`
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Takes care of the queue's store.",
        subcommands: [
            StoreBackupCommand.self, StoreVerifyCommand.self, StoreUpgradeCommand.self,
            StoreRepairCommand.self, StoreCountCommand.self,
        ])
}

/// `chappe store backup DIR`
struct StoreBackupCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "A copy of the store, made while the node works.",
        discussion: "A node that is started on the copy finds every message held.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @Argument(help: "A directory that does not exist yet, on the node's machine.") var directory: String

    func validate() throws {
        guard directory.hasPrefix("/") else { throw ValidationError("the directory is an absolute path") }
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        try StorePage.tell(
            client.send(StoreTaskRequest(directory: directory), to: "store/backup"), form, on: screen)
    }
}

/// `chappe store upgrade`
struct StoreUpgradeCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Lets the node write the newest format, which older versions cannot read.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @Flag(name: [.customShort("y"), .long], help: "Do not ask.") var yes = false

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        guard
            yes || screen.confirms("There is no way back to an older version afterwards. Upgrade the store?")
        else {
            throw Complaint(
                "nothing was changed: say --yes, there is no way back to an older version", .refused)
        }
        return try StorePage.tell(client.send(StoreTaskRequest(), to: "store/upgrade"), form, on: screen)
    }
}

enum StorePage {
    static func tell(_ answer: StoreTaskAnswer, _ form: OutputOptions, on screen: Screen) throws -> Outcome {
        try screen.answer(form, answer, page: answer.lines.map(Table.harmless))
        return answer.isSound ? .ok : .refused
    }
}
