import OctetKernels

/// The text of a body without what a sender varies for free: case, white space, digits and everything that is
/// not a letter of ASCII or an octet above it.
///
/// It comes in pieces and leaves in pieces, whatever the cuts, so that a digest can run while the message
/// arrives. Two texts that differ in a word stay different.
package struct NormalisedBody: Sendable {
    /// Letters below which a text says too little to tell a campaign by: "OK, thanks" is nobody's fingerprint.
    package static let lettersLeast = 64

    package private(set) var letters = 0

    package init() {}

    /// Writes what is left of a piece to `room`, which has as many octets at least; how many it wrote.
    package mutating func reduce(
        _ piece: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = LetterPicker.pick(piece, into: room)
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
