package import MailValues
package import QueueEngine
import Synchronization

extension Dispatcher {
    /// Slots looked at while the lock is held.
    private static let slotBatch = 16_384

    /// When the oldest queued message was accepted. From memory alone, but it looks at every entry.
    package var oldest: Timestamp? {
        var oldest: Timestamp?
        var start = 0
        while true {
            let (found, end) = state.withLock { state in
                let end = state.scheduler.slotEnd
                let slots = min(start, end)..<min(start + Self.slotBatch, end)
                return (state.scheduler.oldest(in: slots), end)
            }
            if let found { oldest = oldest.map { min($0, found) } ?? found }
            start += Self.slotBatch
            if start >= end { return oldest }
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
