import MailValues

/// Writes pieces of JSON one after another into memory that its maker has found to be large enough.
///
/// Every event of every message passes here, so it goes by pointer: an array that checks uniqueness and
/// capacity at each append takes several times as long.
struct JSONWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0
    /// Octets in `buffer` beyond what the texts take unescaped.
    private var escapeRoom: Int

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>, escapeRoom: Int) {
        self.buffer = buffer
        self.escapeRoom = escapeRoom
    }

    /// More had to be escaped than there was room for: what was written is of no use.
    var hasOverflowed: Bool { escapeRoom < 0 }

    /// `\u001f` for one octet.
    static let longestEscape = 6

    /// RFC 8259 §7: quotation mark, reverse solidus and control characters. DEL is allowed there, but no
    /// terminal likes it.
    @inline(__always)
    private static func isSpecial(_ octet: UInt8) -> Bool {
        octet < 0x20 || octet == 0x22 || octet == 0x5C || octet == 0x7F
    }

    /// Whether one of eight octets is special; the borrow tricks are exact as long as only "any?" is asked.
    @inline(__always)
    private static func holdsSpecial(_ eight: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        @inline(__always)
        func zeros(_ x: UInt64) -> UInt64 { (x &- ones) & ~x }
        let controls = (eight &- (ones &* 0x20)) & ~eight
        return
            (controls | zeros(eight ^ (ones &* 0x22)) | zeros(eight ^ (ones &* 0x5C))
            | zeros(eight ^ (ones &* 0x7F)))
            & (ones &* 0x80) != 0
    }

    @inline(__always)
    private mutating func put(octet: UInt8) {
        buffer[count] = octet
        count &+= 1
    }

    @inline(__always)
    private mutating func put(octets: UnsafeBufferPointer<UInt8>) {
        guard let from = octets.baseAddress, let to = buffer.baseAddress else { return }
        precondition(count + octets.count <= buffer.count, "the line was measured before it was written")
        (to + count).update(from: from, count: octets.count)
        count &+= octets.count
    }

    /// As it is, without quotes.
    @inline(__always)
    mutating func raw(_ text: StaticString) {
        put(octets: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A string, quoted and escaped.
    mutating func quoted(_ text: String) {
        var text = text
        put(octet: 0x22)
        text.withUTF8 { octets in
            if Self.isPlain(octets) { put(octets: octets) } else { putEscaping(octets) }
        }
        put(octet: 0x22)
    }

    @inline(__always)
    private static func isPlain(_ octets: UnsafeBufferPointer<UInt8>) -> Bool {
        guard octets.count >= 8 else { return !octets.contains(where: isSpecial) }
        let raw = UnsafeRawBufferPointer(octets)
        // The last eight overlap the ones before, so that no octet is looked at alone.
        let last = octets.count &- 8
        var found = holdsSpecial(raw.loadUnaligned(fromByteOffset: last, as: UInt64.self))
        var index = 0
        while index < last {
            found = found || holdsSpecial(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        return !found
    }

    private mutating func putEscaping(_ octets: UnsafeBufferPointer<UInt8>) {
        for octet in octets {
            guard Self.isSpecial(octet) else {
                put(octet: octet)
                continue
            }
            escapeRoom -= Self.longestEscape - 1
            if hasOverflowed { return }
            putEscaped(octet)
        }
    }

    private mutating func putEscaped(_ octet: UInt8) {
        put(octet: 0x5C)
        switch octet {
        case 0x22, 0x5C: put(octet: octet)
        case 0x0A: put(octet: 0x6E)
        case 0x0D: put(octet: 0x72)
        case 0x09: put(octet: 0x74)
        default:
            raw("u00")
            put(octet: 0x30 + octet >> 4)
            put(octet: octet & 15 < 10 ? 0x30 + octet & 15 : 0x57 + octet & 15)
        }
    }

    mutating func put(_ number: Int64) {
        if number < 0 { put(octet: 0x2D) }
        let magnitude = number.magnitude
        var digits = 1
        var power: UInt64 = 10
        while digits < 19, magnitude >= power {
            digits += 1
            power *= 10
        }
        put(magnitude, width: digits)
    }

    private mutating func put(_ number: some UnsignedInteger & FixedWidthInteger, width: Int) {
        var rest = number
        for index in stride(from: count + width - 1, through: count, by: -1) {
            buffer[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count &+= width
    }

    /// RFC 3339, always in UTC: `2026-11-24T15:19:52.123+00:00`.
    mutating func put(_ moment: Timestamp) {
        let civil = CivilTime(moment)
        put(UInt32(truncatingIfNeeded: civil.year), width: 4)
        put(octet: 0x2D)
        put(UInt32(truncatingIfNeeded: civil.month), width: 2)
        put(octet: 0x2D)
        put(UInt32(truncatingIfNeeded: civil.day), width: 2)
        put(octet: 0x54)
        put(UInt32(truncatingIfNeeded: civil.hour), width: 2)
        put(octet: 0x3A)
        put(UInt32(truncatingIfNeeded: civil.minute), width: 2)
        put(octet: 0x3A)
        put(UInt32(truncatingIfNeeded: civil.second), width: 2)
        put(octet: 0x2E)
        put(UInt32(truncatingIfNeeded: civil.millisecond), width: 3)
        raw("+00:00")
    }

    private static let alphabet: StaticString = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

    /// The 26 letters of the id, as `QueueID.description` has them, without the two allocations of that.
    mutating func put(_ id: QueueID) {
        let letters = Self.alphabet.utf8Start
        var high = id.high
        var low = id.low
        for index in stride(from: count + 25, through: count, by: -1) {
            buffer[index] = letters[Int(low & 31)]
            low = low >> 5 | high << 59
            high >>= 5
        }
        count &+= 26
    }
}
