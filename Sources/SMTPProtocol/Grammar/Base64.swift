/// Base 64 as SASL uses it: the standard alphabet, padded, nothing else between (RFC 4648 §4, RFC 4954 §4).
enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Nil where a strange octet, a wrong length, wrong padding or leftover bits stand.
    static func decode(_ text: Octets) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count / 4 * 3)
        var index = 0
        while index < text.count {
            let isFinal = index + 4 == text.count
            let padding = isFinal ? (text[index + 3] != 0x3D ? 0 : text[index + 2] != 0x3D ? 1 : 2) : 0
            var bits: UInt32 = 0
            for position in 0..<4 {
                guard position < 4 - padding else {
                    bits <<= 6
                    continue
                }
                guard let value = value(of: text[index + position]) else { return nil }
                bits = bits << 6 | value
            }
            // RFC 4648 §3.5: bits that pad must be zero, or two texts would mean the same secret.
            guard bits & (padding == 0 ? 0 : padding == 1 ? 0xFF : 0xFFFF) == 0 else { return nil }
            octets.append(UInt8(truncatingIfNeeded: bits >> 16))
            if padding < 2 { octets.append(UInt8(truncatingIfNeeded: bits >> 8)) }
            if padding < 1 { octets.append(UInt8(truncatingIfNeeded: bits)) }
            index += 4
        }
        return octets
    }

    static func encode(_ octets: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((octets.count + 2) / 3 * 4)
        var index = 0
        while index < octets.count {
            let present = min(3, octets.count - index)
            var bits: UInt32 = 0
            for position in 0..<3 {
                bits = bits << 8 | (position < present ? UInt32(octets[index + position]) : 0)
            }
            for position in 0..<4 {
                text.append(
                    position <= present ? alphabet[Int(bits >> UInt32(18 - 6 * position) & 63)] : 0x3D)
            }
            index += 3
        }
        return text
    }

    private static func value(of letter: UInt8) -> UInt32? {
        switch letter {
        case 0x41...0x5A: UInt32(letter - 0x41)
        case 0x61...0x7A: UInt32(letter - 0x61 + 26)
        case 0x30...0x39: UInt32(letter - 0x30 + 52)
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}
