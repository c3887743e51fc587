package import MailValues

/// Names as DNS compares them: lower case, A-labels, no final dot.
package enum DNSName {
    /// Octets of one label (RFC 1035 §2.3.4).
    package static let labelOctets = 63
    /// Octets of a name as text without a final dot: 255 in wire form (RFC 1035 §2.3.4), less the first
    /// length and the root.
    package static let nameOctets = 253

    /// The form that is asked for, or nil for what cannot be a name in DNS.
    ///
    /// Underscores are taken (RFC 8552 §1.1), and hyphens anywhere: names of hosts are not ours to judge,
    /// only names that would be read differently on their way. A final dot is dropped.
    package static func normalized(_ name: String) -> String? {
        var isPlain = true
        var label = 0
        var count = 0
        var isASCII = true
        for octet in name.utf8 {
            count += 1
            switch octet {
            case 0x61...0x7A, 0x30...0x39, 0x2D, 0x5F:
                label += 1
            case 0x41...0x5A:
                label += 1
                isPlain = false
            case 0x2E:
                if label == 0 { return nil }
                label = 0
            case 0x80...:
                label += 1
                isASCII = false
            default:
                return nil
            }
            if label > labelOctets && isASCII { return nil }
        }
        guard count > 0 else { return nil }
        if !isASCII { return Domain(name).aLabel.flatMap { $0.isASCII ? normalized($0.name) : nil } }
        if label == 0 { return count <= nameOctets + 1 ? Domain(name.dropLast()).name : nil }
        guard count <= nameOctets else { return nil }
        return isPlain ? name : Domain(name).name
    }

    /// A name in wire form without compression, from its text; the text has been normalised.
    package static func wire(_ name: String) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(name.utf8.count + 2)
        for label in name.utf8.split(separator: 0x2E) {
            precondition(label.count <= labelOctets, "a name is normalised before it is encoded")
            octets.append(UInt8(label.count))
            octets.append(contentsOf: label)
        }
        octets.append(0)
        return octets
    }

    /// The text of an uncompressed name at the start of `octets`, and how many octets it takes; the root is
    /// "".
    ///
    /// Nil for a name that is broken, and for one whose labels hold dots, spaces or octets beyond printable
    /// ASCII: as text it would be another name, and no mail host has one.
    package static func text(_ octets: ArraySlice<UInt8>) -> (name: String, octetCount: Int)? {
        var text: [UInt8] = []
        var position = octets.startIndex
        while position < octets.endIndex {
            let length = Int(octets[position])
            position += 1
            if length == 0 {
                return (String(decoding: text, as: UTF8.self), position - octets.startIndex)
            }
            // The upper two bits mark compression, which has no place in data out of its message (RFC 1035
            // §4.1.4).
            guard length <= labelOctets, position + length < octets.endIndex else { return nil }
            if !text.isEmpty { text.append(0x2E) }
            for octet in octets[position..<(position + length)] {
                guard octet > 0x20, octet < 0x7F, octet != 0x2E, octet != 0x5C else { return nil }
                text.append(octet >= 0x41 && octet <= 0x5A ? octet | 0x20 : octet)
            }
            guard text.count <= nameOctets else { return nil }
            position += length
        }
        return nil
    }

    /// Where the names of an address stand: `1.2.0.192.in-addr.arpa` (RFC 1035 §3.5), `….ip6.arpa` (RFC 3596
    /// §2.5).
    package static func reverse(of address: IPAddress) -> String {
        address.reversedLabels + (address.isV4 ? ".in-addr.arpa" : ".ip6.arpa")
    }
}

extension IPAddress {
    /// Octets of IPv4, nibbles of IPv6, last one first, divided by dots; as block lists are asked too (RFC
    /// 5782 §2.1).
    package var reversedLabels: String {
        switch self {
        case .v4(let bits):
            return "\(bits & 255).\(bits >> 8 & 255).\(bits >> 16 & 255).\(bits >> 24)"
        case .v6(let high, let low):
            var text: [UInt8] = []
            text.reserveCapacity(63)
            for half in [low, high] {
                for shift in stride(from: UInt64(0), to: 64, by: 4) {
                    let nibble = UInt8(half >> shift & 15)
                    if !text.isEmpty { text.append(0x2E) }
                    text.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
                }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
