package import MailValues
package import QueueEngine
import Synchronization

/// A queue store in memory: keeps the promises of `QueueStore` but that of surviving.
package final class MemoryQueue: QueueStore {
    package struct Contents: Sendable {
        package var envelopes: [QueueID: Envelope] = [:]
        package var pieces: [QueueID: [[UInt8]]] = [:]
        package var ledger: [QueueID: [LedgerLine]] = [:]
        package var notes: [[UInt8]: [UInt8]] = [:]
        package var removed: [QueueID] = []
        package var commitCount = 0
    }

    private struct State {
        var contents = Contents()
        /// What the next commits that match are answered with.
        var failures: [(error: StoreError, count: Int)] = []
        /// Messages whose contents cannot be read.
        var damaged: Set<QueueID> = []
        var intakeRefusal: StoreError?
        var deliveryRefusal: StoreError?
        /// Commits wait, as behind a disk that does not answer.
        var isStalled = false
        /// What waits has not been begun.
        var isWithdrawable = true
        var stalled: [Stalled] = []
        var waiters:
            [(condition: @Sendable (Contents) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func failure(for changes: [QueueChange]) -> StoreError? {
            let accepts = changes.contains { if case .accept = $0 { true } else { false } }
            if accepts, let intakeRefusal { return intakeRefusal }
            guard let next = failures.first else { return nil }
            failures[0].count -= 1
            if failures[0].count == 0 { failures.removeFirst() }
            return next.error
        }
    }
    private struct Stalled {
        var changes: [QueueChange]
        var lane: any Lane
        var completion: StoreCompletion
    }

    private let state = Mutex(State())

    package init() {}

    package var contents: Contents { state.withLock { $0.contents } }

    package var intakeRefusal: StoreError? {
        get { state.withLock { $0.intakeRefusal } }
        set { state.withLock { $0.intakeRefusal = newValue } }
    }

    package var deliveryRefusal: StoreError? {
        get { state.withLock { $0.deliveryRefusal } }
        set { state.withLock { $0.deliveryRefusal = newValue } }
    }

    package var isCertain: Bool { true }

    /// The next `count` commits fail.
    package func fail(_ count: Int, with error: StoreError) {
        state.withLock { $0.failures.append((error, count)) }
    }

    /// From here on commits wait, until `proceed`; `begun`: the disk has them already, none can be withdrawn.
    package func stall(begun: Bool = false) {
        state.withLock { state in
            state.isStalled = true
            state.isWithdrawable = !begun
        }
    }

    package func proceed() {
        let waiting = state.withLock { state in
            state.isStalled = false
            defer { state.stalled = [] }
            return state.stalled
        }
        for each in waiting { commit(each.changes, lane: each.lane, completion: each.completion) }
    }

    /// Puts a message in, as an earlier run would have left it.
    package func plant(_ envelope: Envelope, content: [UInt8]) {
        state.withLock { state in
            state.contents.envelopes[envelope.id] = envelope
            state.contents.pieces[envelope.id] = [content]
        }
    }

    /// The content of a message cannot be read from now on, or can again.
    package func damage(_ id: QueueID, _ isDamaged: Bool = true) {
        state.withLock { state in
            if isDamaged { state.damaged.insert(id) } else { state.damaged.remove(id) }
        }
    }

    /// Returns once the contents are so; looked at after each commit.
    package func until(_ condition: @escaping @Sendable (Contents) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isSo = state.withLock { state in
                if condition(state.contents) { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if isSo { continuation.resume() }
        }
    }

    package func withdraw(_ id: QueueID) {
        let withdrawn = state.withLock { state -> Stalled? in
            guard state.isWithdrawable else { return nil }
            let index = state.stalled.firstIndex { $0.changes.contains { $0.isAcceptance(of: id) } }
            return index.map { state.stalled.remove(at: $0) }
        }
        guard let withdrawn else { return }
        withdrawn.lane.run { withdrawn.completion(.failure(.sick(detail: "withdrawn"))) }
    }

    package func commit(_ changes: [QueueChange], lane: any Lane, completion: @escaping StoreCompletion) {
        let waits = state.withLock { state in
            if state.isStalled {
                state.stalled.append(Stalled(changes: changes, lane: lane, completion: completion))
            }
            return state.isStalled
        }
        guard !waits else { return }
        let (error, woken) = state.withLock { state -> (StoreError?, [CheckedContinuation<Void, Never>]) in
            if let error = state.failure(for: changes) { return (error, []) }
            for change in changes { state.contents.apply(change) }
            state.contents.commitCount += 1
            let contents = state.contents
            let woken = state.waiters.filter { $0.condition(contents) }.map(\.continuation)
            state.waiters.removeAll { $0.condition(contents) }
            return (nil, woken)
        }
        lane.run { completion(error.map { .failure($0) } ?? .success(())) }
        for continuation in woken { continuation.resume() }
    }

    package func writeChunk(
        _ id: QueueID, number: UInt32, octets: [[UInt8]], lane: any Lane,
        completion: @escaping StoreCompletion
    ) {
        state.withLock { $0.contents.pieces[id, default: []].append(octets.flatMap { $0 }) }
        lane.run { completion(.success(())) }
    }

    package func dropChunks(_ id: QueueID, count: UInt32) { state.withLock { $0.contents.pieces[id] = nil } }

    package func envelope(_ id: QueueID) throws(StoreError) -> Envelope? {
        state.withLock { $0.contents.envelopes[id] }
    }

    package func contentPiece(_ id: QueueID, number: UInt32) throws(StoreError) -> [UInt8]? {
        let piece = state.withLock { state -> Result<[UInt8]?, StoreError> in
            if state.damaged.contains(id) { return .failure(.damaged(detail: "000012.blob")) }
            guard let pieces = state.contents.pieces[id], pieces.indices.contains(Int(number)) else {
                return .success(nil)
            }
            return .success(pieces[Int(number)])
        }
        return try piece.get()
    }

    package func scan(_ body: (Envelope) -> Bool) throws(StoreError) {
        let all = state.withLock { $0.contents.envelopes.values.sorted { $0.id < $1.id } }
        for envelope in all where !body(envelope) { return }
    }

    package func ledger(_ id: QueueID) throws(StoreError) -> [LedgerLine] {
        state.withLock { $0.contents.ledger[id] ?? [] }
    }

    package func notes(
        under prefix: [UInt8], _ body: ([UInt8], [UInt8]) -> Bool
    ) throws(StoreError) {
        let found = state.withLock { $0.contents.notes.filter { $0.key.starts(with: prefix) } }
        for (key, value) in found.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard body(key, value) else { return }
        }
    }
}

extension QueueChange {
    fileprivate func isAcceptance(of id: QueueID) -> Bool {
        if case .accept(let message) = self { message.envelope.id == id } else { false }
    }
}

extension MemoryQueue.Contents {
    fileprivate mutating func apply(_ change: QueueChange) {
        switch change {
        case .accept(let message):
            envelopes[message.envelope.id] = message.envelope
            if !message.content.isEmpty { pieces[message.envelope.id] = [message.content.flatMap { $0 }] }
        case .progress(let id, let list):
            for (index, progress) in list { envelopes[id]?.recipients[index].progress = progress }
        case .amend(let envelope):
            guard let old = envelopes[envelope.id] else { return }
            var new = envelope
            new.recipients = old.recipients
            envelopes[envelope.id] = new
        case .remove(let id, _, _):
            envelopes[id] = nil
            pieces[id] = nil
            removed.append(id)
        case .ledger(let line): ledger[line.id, default: []].append(line)
        case .note(let key, let value): notes[key] = value
        }
    }
}
