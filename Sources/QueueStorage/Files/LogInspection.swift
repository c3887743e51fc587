/// Tells a log whose end was torn off by a power failure from one that was damaged later.
///
/// RocksDB, told to tolerate a corrupted tail, finds a wrong checksum by itself. But it takes a record whose
/// *length* or *kind* is damaged for a torn tail, and then passes over everything behind it without a word
/// (seen with 7.8.3). Behind a torn tail there is nothing: whatever is intact there proves damage. And
/// changes are numbered: a number that is missing between two logs proves a hole.
struct LogInspection {
    enum Kind { case writeAhead, manifest }

    private let kind: Kind
    /// Look at every checksum: RocksDB does so itself where it reads all, but does not say which file it
    /// read.
    private let checksAll: Bool
    /// The file before this one, if its end was torn: it must not have held anything that the next one builds
    /// on.
    private var torn: (file: String, offset: Int)?
    /// The file before this one, whatever its end.
    private var before = ""
    /// The number of the change that must come next.
    private var nextSequence: UInt64?
    /// What follows a batch of which only the first part was met.
    private var sequenceBehind: UInt64?

    init(_ kind: Kind, checksAll: Bool = false) {
        self.kind = kind
        self.checksAll = checksAll || kind == .manifest
    }

    /// Looks at the next file, in order of number.
    mutating func next(_ file: String, _ log: UnsafeRawBufferPointer) -> StoreFinding? {
        var offset = 0
        var isFirst = true
        sequenceBehind = nil
        while let record = Self.record(log, from: offset) {
            guard record.fits(log), !checksAll || record.isIntact(log) else {
                return tail(file, log, at: record)
            }
            if isFirst, let damage = checkJoint(file, record, log) { return damage }
            isFirst = false
            noteSequence(record, log)
            offset = record.end
        }
        if !isFirst { before = file }
        return nil
    }

    /// The record that begins at or after `offset`; the few octets at the end of a block that cannot hold a
    /// header are skipped.
    static func record(_ log: UnsafeRawBufferPointer, from offset: Int) -> LogRecord? {
        let left = LogRecord.blockOctets - offset % LogRecord.blockOctets
        return LogRecord(log, at: left < LogRecord.headerOctets ? offset + left : offset)
    }

    /// At a record that does not read: torn off here, or damaged?
    private mutating func tail(
        _ file: String, _ log: UnsafeRawBufferPointer, at record: LogRecord
    ) -> StoreFinding? {
        if let behind = Self.intactRecord(log, behind: record) {
            return StoreFinding(
                file: file,
                detail: "octet \(record.offset) is damaged: at octet \(behind) an intact record follows")
        }
        if record.fits(log), !record.isIntact(log) {
            return StoreFinding(file: file, detail: "the record at octet \(record.offset) is damaged")
        }
        if record.rawKind != 0 || record.length != 0, record.isMisread(log) {
            return StoreFinding(
                file: file, detail: "the record at octet \(record.offset) is whole, but its header is damaged"
            )
        }
        torn = (file, record.offset)
        return nil
    }

    /// Where an intact record begins behind a bad one: looked for at every octet of its block and of the
    /// last, and at the start of each block between.
    private static func intactRecord(_ log: UnsafeRawBufferPointer, behind bad: LogRecord) -> Int? {
        for start in stride(from: bad.blockEnd, to: log.count, by: LogRecord.blockOctets) {
            if let record = LogRecord(log, at: start), record.isIntact(log) { return start }
        }
        let lastBlock = max(bad.blockEnd, log.count / LogRecord.blockOctets * LogRecord.blockOctets)
        let own = (bad.offset + 1)..<max(bad.offset + 1, min(bad.blockEnd, log.count))
        let last = lastBlock..<max(lastBlock, log.count)
        for range in [own, last] {
            for offset in range {
                if let record = LogRecord(log, at: offset), record.isIntact(log), record.length > 0 {
                    return offset
                }
            }
        }
        return nil
    }

    /// A batch begins with its sequence number (8 octets) and the number of its changes (4).
    private static func sequence(
        _ record: LogRecord, _ log: UnsafeRawBufferPointer
    ) -> (first: UInt64, count: UInt64)? {
        guard record.kind == .full || record.kind == .first, record.length >= 12 else { return nil }
        let start = record.offset + LogRecord.headerOctets
        return (
            UInt64(littleEndian: log.loadUnaligned(fromByteOffset: start, as: UInt64.self)),
            UInt64(UInt32(littleEndian: log.loadUnaligned(fromByteOffset: start + 8, as: UInt32.self)))
        )
    }

    /// A batch counts once its last part is there.
    private mutating func noteSequence(_ record: LogRecord, _ log: UnsafeRawBufferPointer) {
        guard kind == .writeAhead else { return }
        if let (first, count) = Self.sequence(record, log) { sequenceBehind = first &+ count }
        guard record.kind == .full || record.kind == .last, let behind = sequenceBehind else { return }
        nextSequence = max(nextSequence ?? 0, behind)
        sequenceBehind = nil
    }

    /// A torn end before a file that goes on elsewhere is a hole between the two, and so is a number left
    /// out.
    private mutating func checkJoint(
        _ file: String, _ record: LogRecord, _ log: UnsafeRawBufferPointer
    ) -> StoreFinding? {
        defer { torn = nil }
        guard kind == .writeAhead, let (first, _) = Self.sequence(record, log), let nextSequence else {
            return nil
        }
        guard first > nextSequence else { return nil }
        if let torn {
            return StoreFinding(
                file: torn.file,
                detail:
                    "it ends at octet \(torn.offset) before change \(nextSequence), "
                    + "but \(file) begins with \(first)")
        }
        return StoreFinding(
            file: file,
            detail:
                "it begins with change \(first), but \(before) ends before \(nextSequence): "
                + "a log between is gone")
    }
}
