import Glibc

/// One version of one value, as a table or a log holds it.
struct StoredEntry {
    enum Kind {
        case value
        /// The value says where in which blob file the octets are.
        case blob
        case removed
    }

    var key: [UInt8]
    var sequence: UInt64
    var kind: Kind
    var value: [UInt8]
    /// The same version as it stands elsewhere too: a table is there before its blob file is whole, and a rewritten one
    /// beside the one that it replaces.
    var twins: [StoredEntry] = []

    init(key: [UInt8], sequence: UInt64, kind: Kind, value: [UInt8]) {
        self.key = key
        self.sequence = sequence
        self.kind = kind
        self.value = value
    }

    /// Of a table: behind the key stand number and kind in eight octets. nil: of a kind that we never write.
    init?(internalKey: [UInt8], value: UnsafeRawBufferPointer) {
        guard internalKey.count >= 8 else { return nil }
        let end = internalKey.count - 8
        let trailer = internalKey.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: end, as: UInt64.self))
        }
        switch trailer & 0xFF {
        case 0x0, 0x7: kind = .removed
        case 0x1: kind = .value
        case 0x11: kind = .blob
        default: return nil
        }
        sequence = trailer >> 8
        key = Array(internalKey[..<end])
        self.value = [UInt8](value)
    }

    /// As RocksDB sorts: by key, the newest of a key first.
    static func precedes(_ left: StoredEntry, _ right: StoredEntry) -> Bool {
        let order = compare(left.key, right.key)
        return order != 0 ? order < 0 : left.sequence > right.sequence
    }

    /// Octet by octet, the shorter first where one is the other's beginning.
    static func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
        let order = left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                let shared = min(left.count, right.count)
                return shared == 0 ? 0 : Int(memcmp(left.baseAddress!, right.baseAddress!, shared))
            }
        }
        return order != 0 ? order : left.count - right.count
    }
}
