/// Looks for ends of lines eight octets at a step.
enum LineEnds {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The first CR or LF at or after `start`, or the end. Octets passed on the way are or-ed into `seen`.
    @inline(__always)
    static func next(in octets: Octets, from start: Int, seen: inout UInt64) -> Int {
        var index = start
        let end = octets.count
        while index &+ 8 <= end {
            let word = UInt64(littleEndian: octets.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // The high bit of each octet below 14; exact for the lowest one found, which is the one looked
            // at.
            let low = (word &- ones &* 14) & ~word & highs
            if low == 0 {
                seen |= word
                index &+= 8
                continue
            }
            let offset = low.trailingZeroBitCount >> 3
            seen |= word & ((1 << UInt64(offset << 3)) &- 1)
            index &+= offset
            let octet = octets[index]
            if octet == 0x0A || octet == 0x0D { return index }
            index &+= 1
        }
        while index < end {
            let octet = octets[index]
            if octet == 0x0A || octet == 0x0D { return index }
            seen |= UInt64(octet)
            index &+= 1
        }
        return end
    }

    /// Whether what was or-ed together holds an octet above 127.
    @inline(__always)
    static func hasEightBit(_ seen: UInt64) -> Bool { seen & highs != 0 }

    /// The first LF at or after `start`, or nil.
    static func lineFeed(in octets: Octets, from start: Int) -> Int? {
        var seen: UInt64 = 0
        var index = start
        while index < octets.count {
            index = next(in: octets, from: index, seen: &seen)
            guard index < octets.count else { return nil }
            if octets[index] == 0x0A { return index }
            index &+= 1
        }
        return nil
    }
}
