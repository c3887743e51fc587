import COctets

/// Takes the letters out of octets: those of ASCII in lower case, and every octet above it.
package enum LetterPicker {
    /// What each octet becomes; 0: nothing.
    private static let becomes: [UInt8] = (0...255).map { octet in
        switch UInt8(octet) {
        case 0x41...0x5A: UInt8(octet) + 0x20
        case 0x61...0x7A, 0x80...0xFF: UInt8(octet)
        default: 0
        }
    }

    /// For each set of eight places the places themselves, an octet each, the first lowest.
    private static let shuffles: [UInt64] = (0..<256).map { set in
        var shuffle: UInt64 = 0
        var count: UInt64 = 0
        for place in 0..<8 where set >> place & 1 == 1 {
            shuffle |= UInt64(place) << (count * 8)
            count += 1
        }
        return shuffle
    }

    private static let processorPicks = octets_can_be_picked()

    /// Writes the letters of `octets` to `room`, which has as many octets at least and may be written to behind what
    /// counts; returns how many they are.
    package static func pick(
        _ octets: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        precondition(room.count >= octets.count, "letters are no more than octets")
        var count = 0
        var rest = octets
        if processorPicks, octets.count >= 16, let from = octets.baseAddress, let to = room.baseAddress {
            count = shuffles.withUnsafeBufferPointer { shuffles in
                pick_letters(
                    from.assumingMemoryBound(to: UInt8.self), octets.count,
                    to.assumingMemoryBound(to: UInt8.self), shuffles.baseAddress!)
            }
            rest = UnsafeRawBufferPointer(rebasing: octets[(octets.count & ~15)...])
        }
        return count + pickSingly(rest, into: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
    }

    /// As `pick`, octet by octet.
    package static func pickSingly(
        _ octets: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        becomes.withUnsafeBufferPointer { becomes in
            var count = 0
            for octet in octets {
                // Without a branch, since what an octet is cannot be foretold: 1 for all but 0. (A comparison
                // becomes a branch when it is compiled, and the loop three times as slow.)
                let letter = becomes[Int(octet)]
                room[count] = letter
                count &+= Int(truncatingIfNeeded: (UInt(letter) &+ 255) &>> 8)
            }
            return count
        }
    }
}
