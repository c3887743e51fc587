/// Base 64 as SASL and SCRAM use it: the standard alphabet, padded, no line ends (RFC 4648 §4).
package enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// 0 to 63, or 255 for what is no letter of the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    package static func encode(_ octets: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((octets.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var held = 0
        for octet in octets {
            bits = bits << 8 | UInt32(octet)
            held += 1
            guard held == 3 else { continue }
            for shift in [18, 12, 6, 0] { text.append(alphabet[Int(bits >> UInt32(shift) & 63)]) }
            bits = 0
            held = 0
        }
        guard held > 0 else { return text }
        bits <<= UInt32(8 * (3 - held))
        text.append(alphabet[Int(bits >> 18 & 63)])
        text.append(alphabet[Int(bits >> 12 & 63)])
        text.append(held == 2 ? alphabet[Int(bits >> 6 & 63)] : 0x3D)
        text.append(0x3D)
        return text
    }

    /// The octets, or nil for anything but the one right spelling of at most `limit` octets.
    ///
    /// Padding must be there and the bits it hides must be zero (RFC 4648 §3.5): otherwise two texts mean one
    /// value.
    package static func decode(_ text: some Collection<UInt8>, limit: Int = .max) -> [UInt8]? {
        let count = text.count
        guard count % 4 == 0, count / 4 <= limit / 3 + 1 else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(count / 4 * 3)
        var bits: UInt32 = 0
        var held = 0
        var padding = 0
        for letter in text {
            if letter == 0x3D {
                padding += 1
                bits <<= 6
            } else {
                let value = values[Int(letter)]
                guard value != 255, padding == 0 else { return nil }
                bits = bits << 6 | UInt32(value)
            }
            held += 1
            guard held == 4 else { continue }
            guard append(bits, padding: padding, to: &octets) else { return nil }
            bits = 0
            held = 0
        }
        return padding <= 2 && octets.count <= limit ? octets : nil
    }

    private static func append(_ bits: UInt32, padding: Int, to octets: inout [UInt8]) -> Bool {
        switch padding {
        case 0:
            octets.append(UInt8(bits >> 16 & 255))
            octets.append(UInt8(bits >> 8 & 255))
            octets.append(UInt8(bits & 255))
            return true
        case 1:
            octets.append(UInt8(bits >> 16 & 255))
            octets.append(UInt8(bits >> 8 & 255))
            return bits & 255 == 0
        case 2:
            octets.append(UInt8(bits >> 16 & 255))
            return bits & 0xFFFF == 0
        default:
            return false
        }
    }
}
