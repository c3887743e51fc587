/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2) becomes IPv4
/// when made, so that no rule can be passed by writing an address the other way.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// From four or sixteen octets in network order.
    package init?(octets: some Collection<UInt8>) {
        switch octets.count {
        case 4:
            self = .v4(octets.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            var high: UInt64 = 0
            var low: UInt64 = 0
            for (index, octet) in octets.enumerated() {
                if index < 8 { high = high << 8 | UInt64(octet) } else { low = low << 8 | UInt64(octet) }
            }
            self = Self.unmapped(high: high, low: low)
        default:
            return nil
        }
    }

    package static func unmapped(high: UInt64, low: UInt64) -> IPAddress {
        high == 0 && low >> 32 == 0xFFFF ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high: high, low: low)
    }

    package var isV4: Bool { if case .v4 = self { true } else { false } }

    /// 32 or 128.
    package var bitWidth: Int { isV4 ? 32 : 128 }

    /// Four or sixteen octets in network order.
    package var octets: [UInt8] {
        switch self {
        case .v4(let bits): (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(24 - 8 * $0)) }
        case .v6(let high, let low):
            (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - 8 * ($0 % 8))) }
        }
    }

    /// The address with all bits after the first `length` cleared.
    package func masked(to length: Int) -> IPAddress {
        switch self {
        case .v4(let bits): return .v4(length <= 0 ? 0 : bits & ~UInt32(0) << UInt32(32 - min(length, 32)))
        case .v6(let high, let low):
            if length <= 0 { return .v6(high: 0, low: 0) }
            if length <= 64 { return .v6(high: high & ~UInt64(0) << UInt64(64 - length), low: 0) }
            return .v6(high: high, low: low & ~UInt64(0) << UInt64(128 - min(length, 128)))
        }
    }
}

extension IPAddress: CustomStringConvertible {
    package init?(_ text: some StringProtocol) {
        let octets = Array(text.utf8)
        if octets.contains(0x3A) {
            guard let value = Self.parseV6(octets) else { return nil }
            self = value
        } else {
            guard let bits = Self.parseV4(octets[...]) else { return nil }
            self = .v4(bits)
        }
    }

    /// Dotted decimal of exactly four parts without leading zeros: `010.1.1.1` means different things to
    /// different readers.
    private static func parseV4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
                return nil
            }
            guard part.count == 1 || part.first != 0x30 else { return nil }
            let value = part.reduce(0) { $0 * 10 + UInt32($1 - 0x30) }
            guard value <= 255 else { return nil }
            bits = bits << 8 | value
        }
        return bits
    }

    private static func parseV6(_ text: [UInt8]) -> IPAddress? {
        guard text.count <= 45 else { return nil }
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text[...]
        if rest.starts(with: [0x3A, 0x3A]) {
            gap = 0
            rest = rest.dropFirst(2)
        } else if rest.first == 0x3A {
            return nil
        }
        while !rest.isEmpty {
            guard groups.count < 8 else { return nil }
            let part = rest.prefix { $0 != 0x3A }
            if part.contains(0x2E) {
                guard part.endIndex == rest.endIndex, groups.count <= 6, let bits = parseV4(part) else {
                    return nil
                }
                groups.append(UInt16(bits >> 16))
                groups.append(UInt16(truncatingIfNeeded: bits))
                rest = []
                break
            }
            guard (1...4).contains(part.count),
                let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16),
                part.first != 0x2B
            else { return nil }
            groups.append(value)
            rest = rest[part.endIndex...]
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == 0x3A {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let high = groups[0..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let low = groups[4..<8].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        return unmapped(high: high, low: low)
    }

    /// Dotted decimal, or the canonical form of IPv6 (lower case, the longest run of zeros as `::`).
    package var description: String {
        switch self {
        case .v4(let bits): return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        case .v6(let high, let low):
            let groups = (0..<8).map {
                UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4)))
            }
            var best = 0..<0
            var start = 0
            while start < 8 {
                var end = start
                while end < 8 && groups[end] == 0 { end += 1 }
                if end - start > max(best.count, 1) { best = start..<end }
                start = max(end, start + 1)
            }
            func text(_ part: Range<Int>) -> String {
                groups[part].map { String($0, radix: 16) }.joined(separator: ":")
            }
            return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
        }
    }
}
