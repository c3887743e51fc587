/// The text of a body without what a sender varies for free: case, white space, digits and everything that is
/// not a letter of ASCII or an octet above it.
///
/// It comes in pieces and leaves in pieces, whatever the cuts, so that a digest can run while the message
/// arrives. Two texts that differ in a word stay different.
package struct NormalisedBody: Sendable {
    /// Letters below which a text says too little to tell a campaign by: "OK, thanks" is nobody's fingerprint.
    package static let lettersLeast = 64

    package private(set) var letters = 0

    /// What each octet becomes; 0: nothing.
    private static let becomes: [UInt8] = (0...255).map { octet in
        switch UInt8(octet) {
        case 0x41...0x5A: UInt8(octet) + 0x20
        case 0x61...0x7A, 0x80...0xFF: UInt8(octet)
        default: 0
        }
    }

    package init() {}

    /// Writes what is left of a piece to `room`, which has as many octets at least; how many it wrote.
    package mutating func reduce(
        _ piece: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        precondition(room.count >= piece.count, "nothing grows when it is normalised")
        let count = Self.becomes.withUnsafeBufferPointer { becomes in
            var count = 0
            for octet in piece {
                // Without a branch, since what an octet is cannot be foretold: 1 for all but 0. (A comparison
                // becomes a branch when it is compiled, and the loop three times as slow.)
                let letter = becomes[Int(octet)]
                room[count] = letter
                count &+= Int(truncatingIfNeeded: (UInt(letter) &+ 255) &>> 8)
            }
            return count
        }
        letters += count
        return count
    }

    package mutating func append(_ piece: some Sequence<UInt8>, to text: inout [UInt8]) {
        let piece = Array(piece)
        let more = [UInt8](unsafeUninitializedCapacity: piece.count) { room, count in
            count = piece.withUnsafeBytes { reduce($0, into: UnsafeMutableRawBufferPointer(room)) }
        }
        text += more
    }

    /// Whether there was enough of it.
    package var isTelling: Bool { letters >= Self.lettersLeast }
}
