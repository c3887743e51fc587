import ArgumentParser
import MailValues
import QueueEngine
import QueueStorage

/// `chappe store count DIR`: how many messages a store holds, while no node has it open.
struct StoreCountCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "count", abstract: "Counts the messages in a store that no node has open.")

    @Argument(help: "The store's directory.") var directory = "/var/lib/chappe/queue"

    func perform(on screen: Screen) throws -> Outcome {
        var options = StoreOptions()
        options.createIfMissing = false
        var count = 0
        do {
            let store = try RocksQueue.open(directory: directory, options: options, now: Clock.now)
            defer { store.close() }
            try store.scan { _ in
                count += 1
                return true
            }
        } catch {
            throw Complaint("\(error)")
        }
        screen.say("\(count)")
        return .ok
    }
}
