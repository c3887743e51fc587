package import MailValues
package import QueueEngine
import Synchronization

/// A store whose nth write fails, in front of one that works: `fail call n = 1, 2, 3 … until a run meets no
/// fault`.
package final class FaultyStore: QueueStore {
    private let store: any QueueStore
    private let failure: StoreError
    private let countdown: Mutex<Int>
    /// Fails, although the write was done: what a crash between write and answer looks like to the caller.
    private let failsAfterwards: Bool

    /// `failingCall` counts commits and chunks from 1; 0 never fails.
    package init(
        _ store: any QueueStore, failingCall: Int,
        with failure: StoreError = .sick(detail: "as the test wanted"),
        afterwards: Bool = false
    ) {
        self.store = store
        self.failure = failure
        failsAfterwards = afterwards
        countdown = Mutex(failingCall)
    }

    /// Whether the fault was met: a run that did not meet it is the last one needed.
    package var hasFailed: Bool { countdown.withLock { $0 < 0 } }

    /// True exactly once: at the call that shall fail.
    private func isTurn() -> Bool {
        countdown.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            if left == 0 { left = -1 }
            return left < 0
        }
    }

    package var intakeRefusal: StoreError? { store.intakeRefusal }
    package var deliveryRefusal: StoreError? { store.deliveryRefusal }
    package var isCertain: Bool { store.isCertain }

    package func commit(_ changes: [QueueChange], lane: any Lane, completion: @escaping StoreCompletion) {
        guard isTurn() else { return store.commit(changes, lane: lane, completion: completion) }
        let failure = failure
        guard failsAfterwards else { return lane.run { completion(.failure(failure)) } }
        store.commit(changes, lane: lane) { _ in completion(.failure(failure)) }
    }

    package func withdraw(_ id: QueueID) { store.withdraw(id) }

    package func writeChunk(
        _ id: QueueID, number: UInt32, octets: [[UInt8]], lane: any Lane,
        completion: @escaping StoreCompletion
    ) {
        guard isTurn() else {
            return store.writeChunk(id, number: number, octets: octets, lane: lane, completion: completion)
        }
        let failure = failure
        lane.run { completion(.failure(failure)) }
    }

    package func dropChunks(_ id: QueueID, count: UInt32) { store.dropChunks(id, count: count) }
    package func envelope(_ id: QueueID) throws(StoreError) -> Envelope? { try store.envelope(id) }

    package func contentPiece(_ id: QueueID, number: UInt32) throws(StoreError) -> [UInt8]? {
        try store.contentPiece(id, number: number)
    }

    package func scan(_ body: (Envelope) -> Bool) throws(StoreError) { try store.scan(body) }
    package func notes(
        under prefix: [UInt8], _ body: ([UInt8], [UInt8]) -> Bool
    ) throws(StoreError) { try store.notes(under: prefix, body) }

    package func ledger(_ id: QueueID) throws(StoreError) -> [LedgerLine] { try store.ledger(id) }
}
