/// Makes the octets of a message fit for DATA (RFC 5321 §4.5.2): a dot at the beginning of a line is doubled,
/// and no CR or LF stands alone.
///
/// The content is in that shape already, but for the dots. Were it not, two servers could see different ends
/// in it: so the encoder does not believe it, and mends what would break.
struct DataEncoder: Sendable {
    /// The octet before the next piece; the content begins like a line.
    private var previous: UInt8 = 0x0A

    /// The piece itself wherever nothing in it has to change, which is nearly always.
    mutating func encode(_ piece: [UInt8]) -> [UInt8] {
        guard let last = piece.last else { return piece }
        let isFit = piece.withUnsafeBytes { Self.isClean($0, after: previous) }
        let encoded = isFit ? piece : mended(piece)
        previous = last
        return encoded
    }

    /// What ends the message: a line with one dot, begun where a line begins.
    func ending() -> [UInt8] {
        switch previous {
        case 0x0A: Self.finalDot
        case 0x0D: Self.finalDotAfterCR
        default: Self.finalDotAfterText
        }
    }

    private static let finalDot: [UInt8] = [0x2E, 0x0D, 0x0A]
    private static let finalDotAfterCR: [UInt8] = [0x0A, 0x2E, 0x0D, 0x0A]
    private static let finalDotAfterText: [UInt8] = [0x0D, 0x0A, 0x2E, 0x0D, 0x0A]

    /// Every LF follows a CR, every CR precedes an LF, and no dot follows an LF.
    ///
    /// Thirty-two octets at a step, each compared with the one before it; faults are gathered, because asking
    /// costs more than comparing.
    private static func isClean(_ octets: UnsafeRawBufferPointer, after previous: UInt8) -> Bool {
        let first = octets[0]
        if (first == 0x0A) != (previous == 0x0D) || (first == 0x2E && previous == 0x0A) { return false }
        typealias Block = SIMD32<UInt8>
        let lineFeed = Block(repeating: 0x0A)
        let carriageReturn = Block(repeating: 0x0D)
        let dot = Block(repeating: 0x2E)
        var faults = SIMDMask<SIMD32<Int8>>(repeating: false)
        var index = 1
        while index + 32 <= octets.count {
            let here = octets.loadUnaligned(fromByteOffset: index, as: Block.self)
            let before = octets.loadUnaligned(fromByteOffset: index - 1, as: Block.self)
            let broken = (here .== lineFeed) .^ (before .== carriageReturn)
            let dotted = (here .== dot) .& (before .== lineFeed)
            faults .|= broken .| dotted
            index += 32
        }
        if any(faults) { return false }
        while index < octets.count {
            let here = octets[index]
            let before = octets[index - 1]
            if (here == 0x0A) != (before == 0x0D) || (here == 0x2E && before == 0x0A) { return false }
            index += 1
        }
        return true
    }

    private func mended(_ piece: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(piece.count + piece.count / 32 + 16)
        var before = previous
        for octet in piece {
            if octet == 0x0A {
                if before != 0x0D { encoded.append(0x0D) }
            } else if before == 0x0D {
                encoded.append(0x0A)
                if octet == 0x2E { encoded.append(0x2E) }
            } else if octet == 0x2E && before == 0x0A {
                encoded.append(0x2E)
            }
            encoded.append(octet)
            before = octet
        }
        return encoded
    }
}
