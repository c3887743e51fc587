/// A node: its Ed25519 public key, so that what it says can be checked with its name alone.
package struct NodeID: Hashable, Comparable, Sendable {
    /// The 32 octets, most significant first. Four words hash and compare faster than an array.
    @usableFromInline let words: (UInt64, UInt64, UInt64, UInt64)

    package static let sizeOctets = 32

    /// Nil unless there are 32 octets.
    package init?(octets: some Collection<UInt8>) {
        guard octets.count == Self.sizeOctets else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for (index, octet) in octets.enumerated() {
            switch index / 8 {
            case 0: words.0 = words.0 << 8 | UInt64(octet)
            case 1: words.1 = words.1 << 8 | UInt64(octet)
            case 2: words.2 = words.2 << 8 | UInt64(octet)
            default: words.3 = words.3 << 8 | UInt64(octet)
            }
        }
        self.words = words
    }

    package var octets: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.sizeOctets) { buffer, count in
            for index in 0..<8 {
                let shift = UInt64(56 - 8 * index)
                buffer[index] = UInt8(truncatingIfNeeded: words.0 >> shift)
                buffer[8 + index] = UInt8(truncatingIfNeeded: words.1 >> shift)
                buffer[16 + index] = UInt8(truncatingIfNeeded: words.2 >> shift)
                buffer[24 + index] = UInt8(truncatingIfNeeded: words.3 >> shift)
            }
            count = Self.sizeOctets
        }
    }

    @inlinable
    package static func == (left: NodeID, right: NodeID) -> Bool { left.words == right.words }

    @inlinable
    package static func < (left: NodeID, right: NodeID) -> Bool { left.words < right.words }

    @inlinable
    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

extension NodeID: CustomStringConvertible {
    /// The whole key in 64 lower-case hexadecimal digits.
    package var hex: String {
        Self.digits(words.0) + Self.digits(words.1) + Self.digits(words.2) + Self.digits(words.3)
    }

    /// Sixteen digits: enough to tell nodes apart.
    package var description: String { Self.digits(words.0) }

    /// Nil unless there are 64 hexadecimal digits, of either case.
    package init?(hex: some StringProtocol) {
        let letters = Array(hex.utf8)
        guard letters.count == 2 * Self.sizeOctets else { return nil }
        var octets: [UInt8] = []
        for index in stride(from: 0, to: letters.count, by: 2) {
            guard let high = Self.value(letters[index]), let low = Self.value(letters[index + 1]) else {
                return nil
            }
            octets.append(high << 4 | low)
        }
        self.init(octets: octets)
    }

    private static func digits(_ word: UInt64) -> String {
        let text = String(word, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    private static func value(_ letter: UInt8) -> UInt8? {
        switch letter {
        case 0x30...0x39: letter - 0x30
        case 0x41...0x46: letter - 0x37
        case 0x61...0x66: letter - 0x57
        default: nil
        }
    }
}

extension NodeID {
    /// The first eight octets as a number: for digests and shards, where keys are as good as chance.
    @inlinable
    package var word: UInt64 { words.0 }
}
