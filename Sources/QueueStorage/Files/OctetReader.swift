/// Reads numbers and texts one after another from octets that may be anything.
///
/// Every answer is nil once the octets end or make no sense: what is read here may have been damaged.
struct OctetReader {
    private let octets: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ octets: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.octets = octets
        self.offset = min(max(offset, 0), octets.count)
    }

    var isAtEnd: Bool { offset >= octets.count }

    mutating func octet() -> UInt8? {
        guard offset < octets.count else { return nil }
        defer { offset += 1 }
        return octets[offset]
    }

    mutating func fixed32() -> UInt32? {
        guard octets.count - offset >= 4 else { return nil }
        defer { offset += 4 }
        return UInt32(littleEndian: octets.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    mutating func fixed64() -> UInt64? {
        guard octets.count - offset >= 8 else { return nil }
        defer { offset += 8 }
        return UInt64(littleEndian: octets.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Seven bits an octet, the least significant first; the top bit says that more follow.
    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let octet = octet() else { return nil }
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return value }
        }
        return nil
    }

    mutating func varint32() -> UInt32? { varint().flatMap { UInt32(exactly: $0) } }

    /// A count of octets, or an offset.
    mutating func size() -> Int? { varint().flatMap { Int(exactly: $0) } }

    mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= octets.count - offset else { return nil }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: octets[offset..<(offset + count)])
    }

    /// Its length, then the octets.
    mutating func text() -> UnsafeRawBufferPointer? { size().flatMap { take($0) } }
}
