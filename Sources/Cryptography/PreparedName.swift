@_spi(_Unicode) internal import Swift

/// A name as it is compared and stored (RFC 8265 §3.3, the profile UsernameCaseMapped).
///
/// For ASCII exactly the profile. Beyond it, letters, marks and digits are taken; what has a compatibility
/// mapping other than width, and text that runs from right to left beside Latin letters, is refused.
package struct PreparedName: Hashable, Sendable {
    package let text: String

    /// Nil for what is no name: empty, too long, with spaces, controls or signs that are not ASCII.
    package init?(_ raw: some StringProtocol) {
        guard !raw.isEmpty, raw.utf8.count <= ScramLimits.nameOctets else { return nil }
        if raw.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            text = String(decoding: raw.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
            return
        }
        // §3.3.2: width is mapped before the check, case and composition after it (§3.3.3).
        let mapped = String(String.UnicodeScalarView(raw.unicodeScalars.map(Self.narrowed)))
        guard mapped.unicodeScalars.allSatisfy(Self.isAllowed) else { return nil }
        let folded = Self.composed(mapped.lowercased())
        guard Self.runsOneWay(folded), !folded.isEmpty, folded.utf8.count <= ScramLimits.nameOctets else {
            return nil
        }
        text = folded
    }

    /// Fullwidth forms of ASCII become ASCII (UAX #11); halfwidth ones have no place in names and fail the
    /// check.
    private static func narrowed(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard (0xFF01...0xFF5E).contains(scalar.value) else { return scalar }
        return Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
    }

    /// IdentifierClass (RFC 8264 §4.2): visible ASCII, and letters, marks and digits of any script.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value > 0x20 && scalar.value < 0x7F }
        guard !scalar.properties.isDefaultIgnorableCodePoint, !isCompatibilityForm(scalar) else {
            return false
        }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark,
            .decimalNumber:
            return true
        default: return false
        }
    }

    /// The blocks of letters that exist only for round trips with older sets (RFC 8264 §9.17, HasCompat).
    private static func isCompatibilityForm(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1D400...0x1D7FF, 0xFB00...0xFB06, 0xFB13...0xFB17, 0xFB50...0xFDFF, 0xFE70...0xFEFF,
            0xFF00...0xFFEF,
            0x02B0...0x02B8, 0x02E0...0x02E4, 0x1D2C...0x1D6A, 0x2071...0x209C, 0x2100...0x214F,
            0x3131...0x318E:
            true
        default: false
        }
    }

    /// A stricter reading of the Bidi Rule (RFC 5893 §2): a name runs from right to left as a whole, or not
    /// at all.
    private static func runsOneWay(_ text: String) -> Bool {
        func runsLeft(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x0590...0x08FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: true
            default: false
            }
        }
        guard let first = text.unicodeScalars.first, text.unicodeScalars.contains(where: runsLeft) else {
            return true
        }
        return runsLeft(first)
            && text.unicodeScalars.allSatisfy { runsLeft($0) || !$0.properties.isAlphabetic }
    }

    /// Normalization form C.
    ///
    /// The standard library does not offer it in public yet; without Foundation this is the only way to its
    /// tables.
    static func composed(_ text: String) -> String { String(String.UnicodeScalarView(text._nfc)) }
}

/// A password as it is digested (RFC 8265 §4.2, the profile OpaqueString).
package struct OpaqueString: Sendable {
    package let octets: [UInt8]

    /// Nil for an empty one, one with control characters, or one longer than a kilobyte.
    package init?(_ raw: some StringProtocol) {
        guard !raw.isEmpty, raw.utf8.count <= Self.octetLimit else { return nil }
        if raw.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
            octets = Array(raw.utf8)
            return
        }
        var scalars = String.UnicodeScalarView()
        for scalar in raw.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                return nil
            // §4.2.2: all spaces are one space, because keyboards differ in which they give.
            case .spaceSeparator: scalars.append(" ")
            default: scalars.append(scalar)
            }
        }
        octets = Array(PreparedName.composed(String(scalars)).utf8)
        // Some letters are longer composed than they came, and a password must mean the same prepared twice.
        guard octets.count <= Self.octetLimit else { return nil }
    }

    package var text: String { String(decoding: octets, as: UTF8.self) }

    package static let octetLimit = 1_024
}
