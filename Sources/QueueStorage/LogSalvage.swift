import MailValues

/// What the intact batches of the write-ahead logs say about messages, damage or not: so that a repair can
/// name what it lost.
struct LogSalvage {
    /// A key of sixteen octets in some column family.
    struct Entry: Hashable {
        var family: UInt32
        var id: QueueID
    }

    /// Ids put and not deleted again, by family.
    private(set) var kept: Set<Entry> = []
    /// Octets in no intact record; they may have held messages that nobody can name.
    private(set) var unreadableOctets = 0
    private var batch: [UInt8] = []
    private var isInBatch = false

    /// Reads one log; files come in order of number.
    mutating func read(_ log: UnsafeRawBufferPointer) {
        var offset = 0
        isInBatch = false
        while let record = LogInspection.record(log, from: offset) {
            guard record.isIntact(log) else {
                // Only the next block is sure to begin with a record.
                unreadableOctets += min(record.blockEnd, log.count) - record.offset
                isInBatch = false
                offset = record.blockEnd
                continue
            }
            take(record, log)
            offset = record.end
        }
    }

    private mutating func take(_ record: LogRecord, _ log: UnsafeRawBufferPointer) {
        switch record.kind {
        case .full:
            readBatch(record.payload(log))
            isInBatch = false
        case .first:
            batch = [UInt8](record.payload(log))
            isInBatch = true
        case .middle where isInBatch:
            batch.append(contentsOf: record.payload(log))
        case .last where isInBatch:
            batch.append(contentsOf: record.payload(log))
            let whole = batch
            whole.withUnsafeBytes { readBatch($0) }
            isInBatch = false
        case .middle, .last:
            unreadableOctets += record.length
        case nil:
            break
        }
    }

    /// A batch: twelve octets of head, then changes, each a tag and what it needs (RocksDB's `WriteBatch`).
    private mutating func readBatch(_ octets: UnsafeRawBufferPointer) {
        guard octets.count >= 12 else { return }
        var reader = BatchReader(octets: octets, at: 12)
        while let change = reader.next() {
            guard change.key.count == Key.idOctets, let id = Key.id(change.key) else { continue }
            let entry = Entry(family: change.family, id: id)
            if change.isPut { kept.insert(entry) } else { kept.remove(entry) }
        }
    }
}

/// Walks over the changes of a batch; ends at what it does not understand.
struct BatchReader {
    struct Change {
        var family: UInt32
        var isPut: Bool
        var key: UnsafeRawBufferPointer
    }

    private let octets: UnsafeRawBufferPointer
    private var offset: Int

    init(octets: UnsafeRawBufferPointer, at offset: Int) {
        self.octets = octets
        self.offset = offset
    }

    mutating func next() -> Change? {
        while offset < octets.count {
            let tag = octets[offset]
            offset += 1
            switch tag {
            case 0x0, 0x7:  // delete and single delete in the default family
                guard let key = text() else { return nil }
                return Change(family: 0, isPut: false, key: key)
            case 0x1:  // put in the default family
                guard let key = text(), text() != nil else { return nil }
                return Change(family: 0, isPut: true, key: key)
            case 0x4, 0x8:  // delete and single delete
                guard let family = number(), let key = text() else { return nil }
                return Change(family: family, isPut: false, key: key)
            case 0x5:  // put
                guard let family = number(), let key = text(), text() != nil else { return nil }
                return Change(family: family, isPut: true, key: key)
            case 0xE:  // delete of a range
                guard number() != nil, text() != nil, text() != nil else { return nil }
            case 0xD:  // nothing
                break
            default:
                return nil
            }
        }
        return nil
    }

    private mutating func number() -> UInt32? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 28, by: 7) {
            guard offset < octets.count else { return nil }
            let octet = octets[offset]
            offset += 1
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return UInt32(exactly: value) }
        }
        return nil
    }

    private mutating func text() -> UnsafeRawBufferPointer? {
        guard let count = number().map(Int.init), count <= octets.count - offset else { return nil }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: octets[offset..<(offset + count)])
    }
}
