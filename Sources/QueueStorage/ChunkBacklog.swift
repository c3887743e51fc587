import MailValues
import QueueEngine

/// Chunks that wait for their turn, in order of arrival. Sessions stop reading while theirs wait, so it stays
/// short.
struct ChunkBacklog {
    private var chunks: [Inbox.Chunk] = []
    private var first = 0
    /// RocksDB had no room in memory the last time.
    var isStalled = false

    var isEmpty: Bool { first == chunks.count }

    mutating func add(_ more: [Inbox.Chunk]) { chunks.append(contentsOf: more) }

    /// Adds chunks to the batch up to `octets`, one at least; returns how many.
    mutating func fill(_ batch: Batch, upTo octets: Int, _ database: Database) -> Int {
        var taken = 0
        while first + taken < chunks.count, taken == 0 || batch.octets < octets {
            add(chunks[first + taken], to: batch, database)
            taken += 1
        }
        return taken
    }

    mutating func finish(_ count: Int, _ completions: inout Completions) {
        for index in first..<(first + count) {
            completions.add(chunks[index].lane, chunks[index].completion, .success(()))
        }
        first += count
        isStalled = false
        if isEmpty {
            chunks.removeAll(keepingCapacity: true)
            first = 0
        } else if first > 256 {
            chunks.removeSubrange(..<first)
            first = 0
        }
    }

    /// The chunks of one message, ahead of their turn: its envelope is about to be written.
    mutating func write(
        of id: QueueID, _ batch: Batch, _ database: Database, _ completions: inout Completions
    ) {
        for index in first..<chunks.count where chunks[index].id == id {
            add(chunks[index], to: batch, database)
        }
        drop(id, &completions)
    }

    /// Forgets the chunks of one message.
    mutating func drop(_ id: QueueID, _ completions: inout Completions) {
        for index in first..<chunks.count where chunks[index].id == id {
            completions.add(chunks[index].lane, chunks[index].completion, .success(()))
        }
        chunks.removeSubrange(..<first)
        first = 0
        chunks.removeAll { $0.id == id }
    }

    mutating func refuse(_ error: StoreError, into completions: inout Completions) {
        for index in first..<chunks.count {
            completions.add(chunks[index].lane, chunks[index].completion, .failure(error))
        }
        chunks.removeAll()
        first = 0
        isStalled = false
    }

    private func add(_ chunk: Inbox.Chunk, to batch: Batch, _ database: Database) {
        batch.chunk(chunk.id, number: chunk.number, octets: chunk.octets, to: database)
    }
}
