@_spi(_Unicode) import Swift

extension Domain {
    /// The form that DNS knows: U-labels mapped (RFC 5895 §2) and written as A-labels (RFC 5890 §2.3.2.1).
    ///
    /// Names of ASCII and address literals come back as they are. Nil when a label cannot be written so: a
    /// character that RFC 5892 §2 disallows, a hyphen at the wrong place, more than 63 octets. The contextual
    /// rules of RFC 5892 appendix A and the bidi rule (RFC 5893) bind registries; here a name that breaks
    /// them merely does not exist.
    package var aLabel: Domain? {
        if isLiteral || isASCII { return self }
        var labels: [String] = []
        for label in Self.mapped(name).split(
            omittingEmptySubsequences: false, whereSeparator: Self.isFullStop)
        {
            guard !label.isEmpty, let written = Self.aLabel(label) else { return nil }
            labels.append(written)
        }
        return Domain(labels.joined(separator: "."))
    }

    /// The form for people: A-labels read back, if all of them are honest ones; else the name as it is.
    package var uLabel: Domain {
        guard !isLiteral, name.contains("xn--") else { return self }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false).map { label -> String in
            guard label.hasPrefix("xn--"), let scalars = Punycode.decode(ArraySlice(label.utf8.dropFirst(4)))
            else {
                return String(label)
            }
            return Self.text(scalars)
        }
        // RFC 5891 §5.4: an A-label counts only if its U-label leads back to it.
        let read = Domain(labels.joined(separator: "."))
        return read.aLabel == aLabel ? read : self
    }

    private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    /// RFC 5895 §2: lower case, full-width forms to their ordinary ones, then NFC. Stable under repetition.
    private static func mapped(_ name: String) -> [Unicode.Scalar] {
        let folded = name.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
            // The block of full-width ASCII stands at a fixed distance from ASCII.
            if (0xFF01...0xFF5E).contains(scalar.value), let plain = Unicode.Scalar(scalar.value - 0xFEE0) {
                return Array(plain.properties.lowercaseMapping.unicodeScalars)
            }
            return Array(scalar.properties.lowercaseMapping.unicodeScalars)
        }
        return Array(text(folded)._nfc)
    }

    /// RFC 5895 §2.4 and UTS 46: the ideographic full stop divides labels too, and so do its half-width and
    /// full-width kin.
    private static func isFullStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "\u{3002}" || scalar == "\u{FF61}" || scalar == "\u{FF0E}"
    }

    private static func aLabel(_ label: ArraySlice<Unicode.Scalar>) -> String? {
        if label.allSatisfy(\.isASCII) {
            return label.count <= 63 ? text(label) : nil
        }
        guard let first = label.first, first != "-", label.last != "-",
            !first.properties.generalCategory.isMark
        else { return nil }
        // RFC 5891 §4.2.3.1: "--" at the third place is kept for prefixes.
        let third = label.dropFirst(2).prefix(2)
        guard !(third.count == 2 && third.allSatisfy { $0 == "-" }) else { return nil }
        guard label.allSatisfy(isPermitted), let encoded = Punycode.encode(label), encoded.count <= 59 else {
            return nil
        }
        return "xn--" + String(decoding: encoded, as: UTF8.self)
    }

    /// LetterDigits, hyphen and the characters that RFC 5892 §2.6 and appendix A permit beside them.
    private static func isPermitted(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", "\u{B7}", "\u{375}", "\u{5F3}", "\u{5F4}", "\u{30FB}", "\u{200C}", "\u{200D}", "\u{6FD}",
            "\u{6FE}",
            "\u{F0B}":
            return true
        default:
            break
        }
        if scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.isNoncharacterCodePoint {
            return false
        }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber, .nonspacingMark, .spacingMark:
            return true
        default: return false
        }
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isMark: Bool { self == .nonspacingMark || self == .spacingMark || self == .enclosingMark }
}

extension Domain {
    /// The address in a literal: `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
    package var literalAddress: IPAddress? {
        guard isLiteral, name.utf8.last == UInt8(ascii: "]") else { return nil }
        let inside = name.dropFirst().dropLast()
        let isV6 = inside.hasPrefix("ipv6:")
        let address = isV6 ? inside.dropFirst(5) : inside
        return address.utf8.contains(UInt8(ascii: ":")) == isV6 ? IPAddress(address) : nil
    }
}
