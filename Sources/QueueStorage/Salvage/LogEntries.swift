import MailValues

/// What the intact batches of the write-ahead logs hold, damage or not.
struct LogEntries {
    /// By the number of their family, in no order.
    private(set) var byFamily: [UInt32: [StoredEntry]] = [:]
    /// Octets in no intact record; they may have held messages that nobody can name.
    private(set) var unreadableOctets = 0
    /// What damaged batches seem to have put, by family: good for names alone.
    private(set) var named: [UInt32: Set<QueueID>] = [:]

    /// Reads one log.
    mutating func read(_ log: UnsafeRawBufferPointer) {
        var records = LogRecords(log)
        while records.next({ $1 ? read(batch: $0) : name(batch: $0) }) {}
        unreadableOctets += records.unreadableOctets
    }

    private mutating func name(batch: UnsafeRawBufferPointer) {
        guard var reader = BatchReader(batch) else { return }
        while let change = reader.next() {
            guard change.kind == .value, change.key.count == Key.idOctets, let id = Key.id(change.key) else {
                continue
            }
            named[change.family, default: []].insert(id)
        }
    }

    private mutating func read(batch: UnsafeRawBufferPointer) {
        guard var reader = BatchReader(batch) else { return }
        while let change = reader.next() {
            byFamily[change.family, default: []].append(
                StoredEntry(
                    key: [UInt8](change.key), sequence: change.sequence, kind: change.kind,
                    value: [UInt8](change.value)))
        }
    }
}
