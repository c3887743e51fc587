import ArgumentParser
import Cryptography

/// `chappe account rm NAME`
struct AccountRemoveCommand: ScreenCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Takes an account away.")

    @OptionGroup var file: AccountFileOptions
    @Argument(help: "The name.") var name: String

    func perform(on screen: Screen) throws -> Outcome {
        let prepared = try AccountFileOptions.name(name)
        var accounts = try file.load()
        guard let place = accounts.firstIndex(where: { $0.name == prepared }) else {
            throw Complaint("there is no account \(prepared.text) in \(file.path)", .partial)
        }
        accounts.remove(at: place)
        try file.save(accounts)
        screen.say("\(prepared.text) removed; `chappe reload` makes the node forget it")
        return .ok
    }
}
