/// Walks over the changes of a batch of the write-ahead log (RocksDB's `WriteBatch`); ends at what it does
/// not understand.
///
/// A batch begins with the number of its first change (8 octets) and how many there are (4); then each
/// change, a tag and what it needs.
struct BatchReader {
    struct Change {
        var family: UInt32
        var kind: StoredEntry.Kind
        var key: UnsafeRawBufferPointer
        var value: UnsafeRawBufferPointer
        /// Its number among all changes of the store.
        var sequence: UInt64
    }

    private static let headOctets = 12

    private var reader: OctetReader
    private var sequence: UInt64

    /// nil: too short to be one.
    init?(_ octets: UnsafeRawBufferPointer) {
        reader = OctetReader(octets)
        guard octets.count >= Self.headOctets, let first = reader.fixed64(), reader.fixed32() != nil else {
            return nil
        }
        sequence = first
    }

    mutating func next() -> Change? {
        while let tag = reader.octet() {
            switch tag {
            case 0x0, 0x7: return change(0, .removed)  // delete and single delete in the default family
            case 0x1: return change(0, .value)  // put in the default family
            case 0x4, 0x8: return reader.varint32().flatMap { change($0, .removed) }
            case 0x5: return reader.varint32().flatMap { change($0, .value) }
            case 0xE:  // delete of a range: of chunks without an envelope, which nobody asks for
                guard reader.varint32() != nil, reader.text() != nil, reader.text() != nil else { return nil }
                sequence &+= 1
            case 0xD:  // nothing
                break
            default:
                return nil
            }
        }
        return nil
    }

    private mutating func change(_ family: UInt32, _ kind: StoredEntry.Kind) -> Change? {
        guard let key = reader.text() else { return nil }
        var value = UnsafeRawBufferPointer(start: nil, count: 0)
        if kind == .value {
            guard let text = reader.text() else { return nil }
            value = text
        }
        defer { sequence &+= 1 }
        return Change(family: family, kind: kind, key: key, value: value, sequence: sequence)
    }
}
