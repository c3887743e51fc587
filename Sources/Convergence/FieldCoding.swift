/// Writes fields in the wire form of Protocol Buffers, by ascending number; zeros and empty texts are left out.
///
/// Values of facts are small, written often and signed as they are, so they are written by hand; a reader of
/// another version skips what it does not know.
package struct FieldWriter: Sendable {
    package private(set) var octets: [UInt8] = []

    package init() {}

    package mutating func number(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        octets.append(field << 3)
        varint(value)
    }

    package mutating func float(_ field: UInt8, _ value: Float) {
        guard value != 0 else { return }
        octets.append(field << 3 | 5)
        let bits = value.bitPattern
        for shift: UInt32 in [0, 8, 16, 24] { octets.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }

    package mutating func bytes(_ field: UInt8, _ value: some Collection<UInt8>) {
        guard !value.isEmpty else { return }
        element(field, value)
    }

    /// As `bytes`, but an empty one is written too: one of several.
    package mutating func element(_ field: UInt8, _ value: some Collection<UInt8>) {
        octets.append(field << 3 | 2)
        varint(UInt64(value.count))
        octets.append(contentsOf: value)
    }

    private mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            octets.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        octets.append(UInt8(value))
    }
}

/// Reads what `FieldWriter` writes, one field after the other.
package struct FieldReader: Sendable {
    package enum Value: Sendable, Equatable {
        case number(UInt64)
        case float(Float)
        case bytes(ArraySlice<UInt8>)
    }

    /// Set once something is no field; there is nothing after it.
    package private(set) var isBroken = false
    private var rest: ArraySlice<UInt8>

    package init(_ octets: ArraySlice<UInt8>) { rest = octets }
    package init(_ octets: [UInt8]) { rest = octets[...] }

    /// The next field, or nil at the end and at what is none.
    package mutating func next() -> (field: UInt8, value: Value)? {
        guard !rest.isEmpty, !isBroken else { return nil }
        guard let tag = varint(), tag >> 3 <= 31, tag >> 3 > 0 else { return broken() }
        let field = UInt8(tag >> 3)
        switch tag & 7 {
        case 0:
            guard let value = varint() else { return broken() }
            return (field, .number(value))
        case 2:
            guard let count = varint(), count <= UInt64(rest.count) else { return broken() }
            defer { rest = rest.dropFirst(Int(count)) }
            return (field, .bytes(rest.prefix(Int(count))))
        case 5:
            guard rest.count >= 4 else { return broken() }
            defer { rest = rest.dropFirst(4) }
            let bits = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (field, .float(Float(bitPattern: bits)))
        default: return broken()
        }
    }

    private mutating func broken() -> (field: UInt8, value: Value)? {
        isBroken = true
        return nil
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift: UInt64 in stride(from: 0, through: 63, by: 7) {
            guard let octet = rest.popFirst() else { return nil }
            if shift == 63, octet > 1 { return nil }
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return value }
        }
        return nil
    }
}
