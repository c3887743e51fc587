/// Looks for one octet eight at a step.
enum OctetSearch {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The first such octet at or after `start`, or the end.
    @inline(__always)
    static func next(_ octet: UInt8, in octets: UnsafeRawBufferPointer, from start: Int) -> Int {
        let wanted = ones &* UInt64(octet)
        var index = start
        let end = octets.count
        while index &+ 8 <= end {
            let word = UInt64(littleEndian: octets.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let difference = word ^ wanted
            // The high bit of each octet that is nothing; exact for the lowest one, which is the one looked at.
            let found = (difference &- ones) & ~difference & highs
            if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, octets[index] != octet { index &+= 1 }
        return index
    }
}

extension UnsafeRawBufferPointer {
    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }
}
