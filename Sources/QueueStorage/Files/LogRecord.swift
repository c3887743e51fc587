/// One record of RocksDB's log format, in which both the write-ahead logs and the manifest are written.
///
/// A file is a row of blocks of 32 KiB; each begins with a record, and no record crosses a border: what is
/// longer is cut into fragments. A record is: masked checksum over all that follows the length (4 octets),
/// length (2), type (1), octets.
struct LogRecord {
    enum Kind: UInt8, CaseIterable { case full = 1, first, middle, last }

    static let blockOctets = 32 << 10
    static let headerOctets = 7

    let offset: Int
    let checksum: UInt32
    let length: Int
    /// nil: none of the kinds that we ever write.
    let kind: Kind?
    /// What stands in place of the kind.
    let rawKind: UInt8

    /// The header at `offset`; nil if the file ends within it.
    init?(_ log: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, offset + Self.headerOctets <= log.count else { return nil }
        self.offset = offset
        checksum = UInt32(littleEndian: log.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        length = Int(UInt16(littleEndian: log.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self)))
        rawKind = log[offset + 6]
        kind = Kind(rawValue: rawKind)
    }

    var end: Int { offset + Self.headerOctets + length }

    /// Where the block ends that holds the header.
    var blockEnd: Int { (offset / Self.blockOctets + 1) * Self.blockOctets }

    /// Of a known kind, and ends before its block and the file do.
    func fits(_ log: UnsafeRawBufferPointer) -> Bool { kind != nil && end <= min(blockEnd, log.count) }

    func payload(_ log: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: log[(offset + Self.headerOctets)..<end])
    }

    func isIntact(_ log: UnsafeRawBufferPointer) -> Bool {
        guard fits(log) else { return false }
        var crc = CRC32C()
        crc.update(rawKind)
        crc.update(payload(log))
        return crc.masked == checksum
    }

    /// Whether another kind or another length makes the checksum right: then the header was changed after it
    /// was written whole.
    ///
    /// A record that was cut off by a power failure has no such reading.
    func isMisread(_ log: UnsafeRawBufferPointer) -> Bool {
        let octets = log[(offset + Self.headerOctets)..<min(blockEnd, log.count)]
        for kind in Kind.allCases {
            var crc = CRC32C()
            crc.update(kind.rawValue)
            if crc.masked == checksum { return true }
            for octet in octets {
                crc.update(octet)
                if crc.masked == checksum { return true }
            }
        }
        return false
    }
}
