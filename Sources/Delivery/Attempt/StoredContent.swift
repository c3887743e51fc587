import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization

/// A message's octets, piece by piece, from the store.
final class StoredContent: ContentSource {
    private let store: any QueueStore
    private let id: QueueID
    private let pieceCount: UInt32
    private let next = Atomic<UInt32>(0)
    private let trouble = Mutex<StoreError?>(nil)

    init(_ envelope: Envelope, in store: any QueueStore) {
        self.store = store
        id = envelope.id
        pieceCount = max(1, envelope.chunkCount)
    }

    /// Why the message could not be read, if it could not.
    var failure: StoreError? { trouble.withLock { $0 } }

    func next() async throws -> [[UInt8]] {
        let number = next.load(ordering: .relaxed)
        guard number < pieceCount else { return [] }
        do throws(StoreError) {
            guard let piece = try store.contentPiece(id, number: number) else {
                throw StoreError.damaged(detail: "piece \(number) of \(id) is missing")
            }
            next.store(number + 1, ordering: .relaxed)
            return [piece]
        } catch {
            trouble.withLock { $0 = error }
            throw error
        }
    }

    func rewind() { next.store(0, ordering: .relaxed) }
}

/// A message's octets that never left memory: handed over whole, nothing copied.
final class FreshContent: ContentSource {
    private let pieces: [[UInt8]]
    private let isGiven = Atomic<Bool>(false)

    init(_ pieces: [[UInt8]]) { self.pieces = pieces }

    func next() async throws -> [[UInt8]] {
        isGiven.exchange(true, ordering: .relaxed) ? [] : pieces
    }

    func rewind() { isGiven.store(false, ordering: .relaxed) }
}

/// A new message, kept until the first attempt for each of its domains.
final class FreshMessage: Sendable {
    let envelope: Envelope
    let content: [[UInt8]]

    init(envelope: Envelope, content: [[UInt8]]) {
        self.envelope = envelope
        self.content = content
    }
}
