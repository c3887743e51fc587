package import MailValues
package import QueueEngine
import Synchronization

extension Dispatcher {
    /// Slots counted while the lock is held.
    private static let tallyBatch = 16_384

    /// The queue in numbers, from memory alone.
    package func summary(domainLimit: Int) -> QueueSummary {
        var tally = QueueTally(now: seams.clock.now)
        var start = 0
        while true {
            let (portion, end) = state.withLock { state in
                var portion = tally
                let end = min(start + Self.tallyBatch, state.scheduler.slotEnd)
                if start < end { state.scheduler.tally(start..<end, into: &portion) }
                return (portion, state.scheduler.slotEnd)
            }
            tally = portion
            start += Self.tallyBatch
            if start >= end { break }
        }
        let counted = tally
        return state.withLock { state in
            var counted = counted
            return counted.finish(with: state.scheduler, domainLimit: domainLimit)
        }
    }

    /// Messages in order of id, behind `cursor`. Reads the store on the caller's thread: not for an event
    /// loop.
    package func list(
        _ selection: QueueSelection = .all, after cursor: QueueID? = nil, limit: Int,
        where fits: (QueueItem) -> Bool
    ) throws(StoreError) -> [QueueItem] {
        var items: [QueueItem] = []
        try look(at: selection) { item in
            if cursor.map({ item.envelope.id > $0 }) ?? true, fits(item) { items.append(item) }
            return items.count < limit
        }
        return items
    }

    /// Shows every message to `body`, in order of id. Reads the store on the caller's thread: not for an event
    /// loop.
    package func visit(_ body: (QueueItem) -> Void) throws(StoreError) {
        try look(at: .all) { item in
            body(item)
            return true
        }
    }

    /// One message; nil: it is not in the queue.
    package func item(_ id: QueueID) throws(StoreError) -> QueueItem? {
        try seams.store.envelope(id).map { item(of: $0) }
    }

    func look(at selection: QueueSelection, _ body: (QueueItem) -> Bool) throws(StoreError) {
        switch selection {
        case .all: try seams.store.scan { body(item(of: $0)) }
        case .ids(let ids):
            for id in ids.sorted() {
                guard let envelope = try seams.store.envelope(id) else { continue }
                guard body(item(of: envelope)) else { return }
            }
        }
    }

    private func item(of envelope: Envelope) -> QueueItem {
        let (views, obstacle) = state.withLock { state in
            let slots = state.scheduler.slots(of: envelope.id)
            let resting = slots.first { state.scheduler.view($0).place == .waiting }
            return (slots.map { state.scheduler.view($0) }, resting.flatMap { state.lastFailure(of: $0) })
        }
        // What was offered to another node rests here as if held, and no order about it is taken.
        let isHeld = envelope.hold != nil || envelope.offered != nil || views.contains { $0.place == .held }
        let kind: QueueItem.State =
            views.contains { $0.place == .inFlight }
            ? .inFlight : isHeld ? .held : views.contains { $0.place == .waiting } ? .deferred : .waiting
        return QueueItem(
            envelope: envelope, state: kind,
            nextAttempt: views.filter { $0.place == .waiting }.map(\.due).min(),
            obstacle: obstacle.map { ($0.reply, $0.host) })
    }
}
