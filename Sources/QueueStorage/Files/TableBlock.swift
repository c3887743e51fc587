/// One block of a table: entries whose keys share their beginnings, then the places where they do not.
struct TableBlock {
    /// Behind each block: how it is compressed (1 octet) and a checksum over both (4).
    static let trailerOctets = 5

    struct Handle: Equatable {
        var offset: Int
        var octets: Int
        /// Of the next block, where one lies behind the other.
        var end: Int { offset + octets + trailerOctets }

        init(offset: Int, octets: Int) {
            self.offset = offset
            self.octets = octets
        }

        init?(_ reader: inout OctetReader) {
            guard let offset = reader.size(), let octets = reader.size(), offset < 1 << 48, octets < 1 << 32
            else { return nil }
            self.init(offset: offset, octets: octets)
        }
    }

    private let octets: [UInt8]
    private let entriesEnd: Int

    /// - Parameter stored: the block with its trailer, whose checksum was found right.
    init?(stored: UnsafeRawBufferPointer) {
        guard stored.count > Self.trailerOctets else { return nil }
        let body = UnsafeRawBufferPointer(rebasing: stored[..<(stored.count - Self.trailerOctets)])
        let octets: [UInt8]
        switch stored[body.count] {
        case 0: octets = [UInt8](body)
        case 4:
            guard let decoded = LZ4Block.decoded(body) else { return nil }
            octets = decoded
        default: return nil
        }
        guard octets.count >= 4 else { return nil }
        let restarts = octets.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: $0.count - 4, as: UInt32.self))
        }
        // The top bits tell of further indices, which we do not ask for.
        guard restarts < 1 << 28, Int(restarts) * 4 + 4 <= octets.count else { return nil }
        self.octets = octets
        entriesEnd = octets.count - 4 - Int(restarts) * 4
    }

    /// Whether the checksum behind the block is right.
    static func isIntact(_ stored: UnsafeRawBufferPointer) -> Bool {
        guard stored.count >= trailerOctets else { return false }
        let covered = UnsafeRawBufferPointer(rebasing: stored[..<(stored.count - 4)])
        return CRC32C.masked(of: covered)
            == UInt32(littleEndian: stored.loadUnaligned(fromByteOffset: covered.count, as: UInt32.self))
    }

    /// All entries in order. False: the block does not parse to its end.
    func forEach(_ body: (_ key: [UInt8], _ value: UnsafeRawBufferPointer) -> Void) -> Bool {
        octets.withUnsafeBytes { octets in
            var reader = OctetReader(UnsafeRawBufferPointer(rebasing: octets[..<entriesEnd]))
            var key: [UInt8] = []
            while !reader.isAtEnd {
                guard let shared = reader.size(), let fresh = reader.size(), let valueOctets = reader.size(),
                    shared <= key.count, let rest = reader.take(fresh), let value = reader.take(valueOctets)
                else { return false }
                key.removeSubrange(shared...)
                key.append(contentsOf: rest)
                body(key, value)
            }
            return true
        }
    }

    /// The blocks that an index names, in order; its values have no length of their own, and may be told by
    /// what changed.
    var handles: [Handle]? {
        octets.withUnsafeBytes { octets in
            var reader = OctetReader(UnsafeRawBufferPointer(rebasing: octets[..<entriesEnd]))
            var handles: [Handle] = []
            while !reader.isAtEnd {
                guard let shared = reader.size(), let fresh = reader.size(), reader.take(fresh) != nil else {
                    return nil
                }
                if shared == 0 {
                    guard let handle = Handle(&reader) else { return nil }
                    handles.append(handle)
                } else {
                    guard let last = handles.last, let change = reader.varint() else { return nil }
                    let signed = Int64(bitPattern: change >> 1) ^ -Int64(bitPattern: change & 1)
                    let octets = Int64(last.octets) + signed
                    guard octets >= 0, octets < 1 << 32 else { return nil }
                    handles.append(Handle(offset: last.end, octets: Int(octets)))
                }
            }
            return handles
        }
    }
}
