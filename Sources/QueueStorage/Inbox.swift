import MailValues
import QueueEngine
import Synchronization

/// What waits for the writer, handed over under one short lock.
final class Inbox: Sendable {
    struct Commit: Sendable {
        var changes: [QueueChange]
        var lane: any Lane
        var completion: StoreCompletion

        func accepts(_ id: QueueID) -> Bool {
            changes.contains {
                if case .accept(let message) = $0 { message.envelope.id == id } else { false }
            }
        }
    }

    struct Chunk: Sendable {
        var id: QueueID
        var number: UInt32
        var octets: [[UInt8]]
        var lane: any Lane
        var completion: StoreCompletion
    }

    struct Waiting: Sendable {
        var commits: [Commit] = []
        var chunks: [Chunk] = []
        var drops: [(id: QueueID, count: UInt32)] = []
        var isClosing = false
        var isEmpty: Bool { commits.isEmpty && chunks.isEmpty && drops.isEmpty }
    }

    private struct State {
        var waiting = Waiting()
        var isWriterAsleep = false
        /// Nothing but a commit wakes it.
        var sleepsDeeply = false
        var isClosing = false
        var isWorthWaking: Bool { isWriterAsleep && !(sleepsDeeply && waiting.commits.isEmpty) }
    }

    private let state = Mutex(State())
    private let semaphore = Semaphore()

    /// False once the store is closing: nothing was taken.
    func put(_ add: (inout Waiting) -> Void) -> Bool {
        let (taken, wake) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosing else { return (false, false) }
            add(&state.waiting)
            guard state.isWorthWaking else { return (true, false) }
            state.isWriterAsleep = false
            return (true, true)
        }
        if wake { semaphore.signal() }
        return taken
    }

    /// Takes out the commit that accepts `id`, if the writer has not taken it yet.
    ///
    /// Looks through all that waits: it is asked once for a message that nobody could answer for minutes.
    func withdraw(_ id: QueueID) -> Commit? {
        state.withLock { state in
            guard let index = state.waiting.commits.firstIndex(where: { $0.accepts(id) }) else { return nil }
            return state.waiting.commits.remove(at: index)
        }
    }

    func close() {
        let wake = state.withLock { state -> Bool in
            state.isClosing = true
            defer { state.isWriterAsleep = false }
            return state.isWriterAsleep
        }
        if wake { semaphore.signal() }
    }

    func holds(atLeast count: Int) -> Bool { state.withLock { $0.waiting.commits.count >= count } }

    /// Everything that waits, in exchange for an empty `waiting` whose arrays keep their room.
    ///
    /// Sleeps while there is nothing; `patience` bounds the sleep where the writer has something else to come
    /// back to. `forCommits`: only they end it early.
    func take(into waiting: inout Waiting, patience: Duration?, forCommits: Bool = false) {
        if swapped(&waiting, mayDoze: patience != .zero, forCommits: forCommits) { return }
        if let patience {
            if patience > .zero, !semaphore.wait(atMost: patience) {
                // A signal may just have been given: take it back, or it would stand for a later sleep.
                let given = state.withLock { state -> Bool in
                    defer { state.isWriterAsleep = false }
                    return !state.isWriterAsleep
                }
                if given { semaphore.wait() }
            }
        } else {
            semaphore.wait()
        }
        _ = swapped(&waiting, mayDoze: false, forCommits: false)
    }

    private func swapped(_ waiting: inout Waiting, mayDoze: Bool, forCommits: Bool) -> Bool {
        state.withLock { state in
            waiting.isClosing = state.isClosing
            let sleepsDeeply = forCommits && mayDoze && !state.isClosing
            guard sleepsDeeply ? state.waiting.commits.isEmpty : state.waiting.isEmpty else {
                swap(&state.waiting, &waiting)
                waiting.isClosing = state.isClosing
                return true
            }
            guard !state.isClosing, mayDoze else { return state.isClosing }
            state.isWriterAsleep = true
            state.sleepsDeeply = sleepsDeeply
            return false
        }
    }
}
