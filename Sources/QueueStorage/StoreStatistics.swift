/// What the store has done since it was opened, and holds now: for status and metrics.
package struct StoreStatistics: Sendable, Equatable {
    /// Messages that are queued; an estimate until the first `scan` has ended.
    package var waitingMessages = 0
    package var commits = 0
    package var batches = 0
    /// Octets of keys and values given to RocksDB.
    package var batchOctets = 0
    package var largestBatchCommits = 0
    package var failedBatches = 0
    /// Times the store was closed and opened again to get over an error.
    package var reopenings = 0
    /// Time of a write with its sync: batches that took less than 2^n microseconds, n being the index, and
    /// not less than 2^(n−1).
    package var syncMicroseconds: [Int] = Array(repeating: 0, count: 24)
    package var syncTotal: Duration = .zero
    package var tableFiles = 0
    package var tableOctets = 0
    package var blobOctets = 0
    package var memoryOctets = 0
    package var freeOctets = 0
    package var holdsBallast = false
    /// Kept back so that a full file system still has room for the progress of what is queued.
    package var reserveOctets = 0
    package var format: UInt32 = 0
    /// Places where octets are not what was written, met since the store was opened …
    package var damageCount = 0
    /// … and the first few of them in words: file, place, message.
    package var damages: [String] = []
    /// How often all files were read and compared.
    package var examinations = 0
    /// Why the store cannot write, for the log; nil while it can.
    package var sickness: String?

    package init() {}

    mutating func recordSync(_ duration: Duration) {
        syncTotal += duration
        let (seconds, attoseconds) = duration.components
        let microseconds = UInt64(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        syncMicroseconds[min(64 - microseconds.leadingZeroBitCount, syncMicroseconds.count - 1)] += 1
    }
}
