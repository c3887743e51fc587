import ArgumentParser

/// `chappe store repair DIR`: opens what is damaged as far as it can be read. The node must not run.
struct StoreRepairCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Opens a damaged store as far as it can be read, and says what is gone.",
        discussion: "The node must be stopped. Afterwards it starts with every message held.")

    @Argument(help: "The store's directory.") var directory = "/var/lib/chappe/queue"
    @Flag(name: [.customShort("y"), .long], help: "Do not ask.") var yes = false

    func perform(on screen: Screen) throws -> Outcome {
        guard yes || screen.confirms("What cannot be read in \(directory) will be gone. Is there a copy, and shall I go on?")
        else {
            throw Complaint("nothing was changed: copy \(directory) first, then say --yes", .refused)
        }
        return try Offline.repairStore(in: directory, on: screen)
    }
}
