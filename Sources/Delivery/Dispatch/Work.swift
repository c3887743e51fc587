import MailValues
import QueueEngine
import SMTPProtocol

/// An entry that a connection is to deliver.
struct Work: Sendable {
    var slot: Slot
    var id: QueueID
    var domain: Domain
    var failures: Int
    /// The message, if it never left memory.
    var fresh: FreshMessage?
}

/// Something to be settled for an entry without a connection.
struct Matter: Sendable {
    enum Cause: Sendable, Equatable {
        /// Its time is up, or its sender is to hear of delay, while its site is dead.
        case overdue
        /// Mail cannot go there.
        case never(Reply)
        /// An attempt that reached nobody.
        case failed(HostFailure)
        /// All hosts said that they take no mail.
        case returned(HostFailure)
        /// An attempt's results, all of them final failures.
        case answered([RecipientResult], AttemptPlace)
    }
    var work: Work
    var cause: Cause

    /// A host has said it.
    var isAnswer: Bool { if case .answered = cause { true } else { false } }
}

/// A task that the dispatcher wants begun.
enum Job: Sendable {
    case resolve(DomainIndex, Domain)
    case serve(worker: Int)
    case settle
}

/// What is to be done once the state's lock is free again.
struct Effects: Sendable {
    var jobs: [Job] = []
    var resumed: [(CheckedContinuation<Work?, Never>, Work?)] = []
    var givenUp: [Task<any ClientConnection, any Error>] = []
    var aborted: [any ClientConnection] = []
    /// Where the step is taken, among the dispatcher's executors, if at one of them.
    var home: Int?
}
