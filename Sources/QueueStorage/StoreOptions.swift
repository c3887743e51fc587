/// How large the store's parts may grow. The defaults suit a disk of many gigabytes; `fitted(to:)` shrinks
/// them for a small one.
package struct StoreOptions: Sendable, Equatable {
    /// Octets of write-ahead log after which RocksDB writes out what only memory and log hold.
    package var logOctetsLargest = 128 << 20
    /// Octets of content held in memory before they are written out; what is delivered earlier never is.
    package var contentBufferOctets = 32 << 20
    /// The same for envelopes, and for ledger lines.
    package var smallBufferOctets = 16 << 20
    /// Blocks of tables kept in memory.
    package var blockCacheOctets = 16 << 20
    /// One batch takes no more commits once it holds so many octets: this bounds how long the next one waits.
    package var batchOctets = 4 << 20
    /// Octets of chunks written between two syncs, so that a large message delays no small one.
    package var chunkOctetsPerBatch = 256 << 10
    /// Octets of chunks a second while small messages come: what they are bounded to, and what they get in any case.
    package var chunkRateBesideSmall = 24 << 20
    /// The ledger forgets its oldest lines beyond this size …
    package var ledgerOctets = 1 << 30
    /// … or this age.
    package var ledgerAge: Duration = .seconds(14 * 86_400)
    /// RocksDB's threads for writing out and for compaction.
    package var backgroundThreads = 2
    /// False opens nothing that is not there yet.
    package var createIfMissing = true
    /// A start compares the checksums of tables for no longer than this; mail waits meanwhile.
    package var startExamination: Duration = .milliseconds(300)
    /// Octets a second that an examination of the open store reads, so that it delays nobody.
    package var examinationRate = 64 << 20
    /// From the end of one examination to the beginning of the next.
    package var examinationPause: Duration = .seconds(24 * 3600)
    /// A batch of this many commits is a crowd: before the next one the writer waits `gathering` for more.
    package var gatheringCommits = 4
    package var gathering: Duration = .microseconds(500)

    package init() {}

    /// The same for a file system of `octets`: log and buffers are an eighth of it at most, so that a full
    /// disk still has room to empty them.
    package func fitted(to octets: Int) -> StoreOptions {
        var fitted = self
        fitted.logOctetsLargest = min(logOctetsLargest, max(octets / 8, 2 << 20))
        fitted.contentBufferOctets = min(contentBufferOctets, max(octets / 32, 1 << 20))
        fitted.smallBufferOctets = min(smallBufferOctets, max(octets / 64, 512 << 10))
        fitted.ledgerOctets = min(ledgerOctets, max(octets / 16, 1 << 20))
        return fitted
    }
}
