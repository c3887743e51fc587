/// `xtext`: printable ASCII in which `+HH` stands for an octet (RFC 3461 §4).
enum Xtext {
    /// The octets meant, or nil where the form is broken.
    static func decode(_ text: Octets) -> [UInt8]? {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let octet = text[index]
            if octet == 0x2B {
                guard index + 2 < text.count, let high = text[index + 1].hexadecimalValue,
                    let low = text[index + 2].hexadecimalValue
                else { return nil }
                octets.append(high << 4 | low)
                index += 3
                continue
            }
            guard (0x21...0x7E).contains(octet), octet != 0x3D else { return nil }
            octets.append(octet)
            index += 1
        }
        return octets
    }

    /// The text meant, if it is clean: it will stand in headers and reports, so a control character is no
    /// text.
    static func decodeText(_ text: Octets) -> String? {
        guard let octets = decode(text) else { return nil }
        return octets.withUnsafeBytes { $0.cleanText }
    }

    /// `utf-8-addr-xtext` and `utf-8-addr-unitext`, in which `\x{HEX}` stands for a character (RFC 6533 §3).
    static func decodeUTF8Address(_ text: Octets) -> String? {
        var octets: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == 0x5C else {
                guard text[index] > 0x20, text[index] != 0x7F, text[index] != 0x2B, text[index] != 0x3D else {
                    return nil
                }
                octets.append(text[index])
                index += 1
                continue
            }
            guard index + 3 < text.count, text[index + 1] == 0x78, text[index + 2] == 0x7B else { return nil }
            index += 3
            var value: UInt32 = 0
            var digits = 0
            while index < text.count, let digit = text[index].hexadecimalValue, digits < 6 {
                value = value << 4 | UInt32(digit)
                digits += 1
                index += 1
            }
            guard digits >= 2, index < text.count, text[index] == 0x7D, let scalar = Unicode.Scalar(value)
            else { return nil }
            octets.append(contentsOf: UTF8.encode(scalar)!)
            index += 1
        }
        return octets.withUnsafeBytes { $0.cleanText }
    }
}
