package import MailValues

/// What an address is set aside for, where it is not an ordinary one of the Internet (RFC 6890, kept up by
/// IANA).
package enum SpecialPurpose: String, Sendable, CaseIterable {
    case unspecified = "this network"
    case loopback
    case privateUse = "private use"
    case sharedSpace = "shared address space"
    case linkLocal = "link local"
    case protocolAssignment = "protocol assignment"
    case benchmark = "benchmarking"
    case multicast
    case reserved
    case transition = "transition mechanism"
}

extension IPAddress {
    /// Whether a host that a stranger's DNS names may be dialled.
    ///
    /// An MX record costs its owner nothing. If it could point into our own network, every queue in the world
    /// would be a way to speak SMTP with hosts that trust us. Networks for documentation count as ordinary:
    /// nobody has them, and examples and tests use them.
    package var isPubliclyDialable: Bool { specialPurpose == nil }

    /// Nil for an ordinary address.
    package var specialPurpose: SpecialPurpose? {
        switch self {
        case .v4(let bits): Self.specialPurposeV4(bits)
        case .v6(let high, let low): Self.specialPurposeV6(high: high, low: low)
        }
    }

    private static func specialPurposeV4(_ bits: UInt32) -> SpecialPurpose? {
        for block in blocksV4 where bits >> (32 - block.length) == block.prefix >> (32 - block.length) {
            return block.purpose
        }
        return nil
    }

    /// RFC 6890 §2.2.2, with 240/4 of RFC 1112 §4 and multicast of RFC 5771 §3.
    private static let blocksV4: [(prefix: UInt32, length: UInt32, purpose: SpecialPurpose)] = [
        (0x0000_0000, 8, .unspecified), (0x0A00_0000, 8, .privateUse), (0x6440_0000, 10, .sharedSpace),
        (0x7F00_0000, 8, .loopback), (0xA9FE_0000, 16, .linkLocal), (0xAC10_0000, 12, .privateUse),
        (0xC000_0000, 24, .protocolAssignment), (0xC058_6300, 24, .transition),
        (0xC0A8_0000, 16, .privateUse),
        (0xC612_0000, 15, .benchmark), (0xE000_0000, 4, .multicast), (0xF000_0000, 4, .reserved),
    ]

    /// RFC 6890 §2.2.3. Only 2000::/3 has been given out (RFC 4291 §2.4), so the rest needs no list to be
    /// refused.
    private static func specialPurposeV6(high: UInt64, low: UInt64) -> SpecialPurpose? {
        if high == 0 && low <= 1 { return low == 0 ? .unspecified : .loopback }
        // ::ffff:0:0/96 mapped, and ::/96, its forerunner (RFC 4291 §2.5.5): whatever IPv4 address stands
        // there.
        if high == 0 && (low >> 32 == 0 || low >> 32 == 0xFFFF) { return .transition }
        // 64:ff9b::/96 leads to IPv4 by a translator (RFC 6052 §3.1): as good as the address that it carries.
        if high == 0x0064_FF9B_0000_0000 && low >> 32 == 0 {
            return specialPurposeV4(UInt32(truncatingIfNeeded: low))
        }
        if high >> 48 == 0x0064 { return .transition }
        if high >> 57 == 0xFC >> 1 { return .privateUse }
        if high >> 54 == 0xFE80 >> 6 { return .linkLocal }
        if high >> 54 == 0xFEC0 >> 6 { return .privateUse }
        if high >> 56 == 0xFF { return .multicast }
        if high >> 61 != 0b001 { return .reserved }
        // 2001::/23, Teredo and ORCHID among it (RFC 6890 §2.2.3).
        if high >> 41 == 0x2001_0000 >> 9 { return .protocolAssignment }
        // 6to4 carries an IPv4 address, and its relays are gone (RFC 7526 §4).
        if high >> 48 == 0x2002 { return .transition }
        return nil
    }
}
