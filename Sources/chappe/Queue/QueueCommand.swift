import ArgumentParser

/// `chappe queue …`
struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Looks at messages in the queue, and changes what becomes of them.",
        subcommands: [
            QueueListCommand.self, QueueSummaryCommand.self, QueueShowCommand.self, QueueRawCommand.self,
            QueueHoldCommand.self, QueueReleaseCommand.self, QueueRetryCommand.self, QueueBounceCommand.self,
            QueueDeleteCommand.self,
        ])
}
