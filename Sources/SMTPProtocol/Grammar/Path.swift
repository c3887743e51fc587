package import MailValues

/// What stands between `<` and `>` in MAIL and RCPT, taken apart (RFC 5321 §4.1.2, RFC 6531 §3.3).
package struct Path: Equatable, Sendable {
    /// Nil for `<>`.
    package let mailbox: Mailbox?
    /// Some octet above 127: takes the parameter SMTPUTF8.
    package let needsUTF8: Bool
    /// Where the octets between the brackets lie in what was parsed.
    package let inner: Range<Int>
}

/// Why a path was not one.
package enum PathError: Error, Equatable, Sendable {
    case syntax, localPartTooLong, domainTooLong, pathTooLong, notUTF8
}

/// Reads one path, octet after octet: no step back, no regular expression, no text made before the form is
/// known.
package struct PathParser {
    /// Octets of a domain or of a general literal (RFC 5321 §4.5.3.1.2).
    package static let domainOctets = 255
    /// Octets of a path, brackets and source route included (RFC 5321 §4.5.3.1.3).
    package static let pathOctets = 256
    /// Octets of a recipient's local part (RFC 5321 §4.5.3.1.1).
    package static let recipientLocalPartOctets = 64
    /// Octets of a sender's local part: VERP and SRS put a whole address in it, and such mail is legitimate
    /// and common. RFC 5321 §4.5.3.1.1 allows 64 and asks for no limit where one can do without.
    package static let senderLocalPartOctets = 200

    package enum Direction: Sendable { case reverse, forward }

    private let octets: Octets
    private var index: Int
    private var eightBit = false

    /// Parses the path that begins at `start`, which must be `<`.
    package static func parse(
        _ octets: Octets, from start: Int = 0, _ direction: Direction
    ) throws(PathError) -> Path {
        var parser = PathParser(octets: octets, index: start)
        return try parser.path(direction)
    }

    private init(octets: Octets, index: Int) {
        self.octets = octets
        self.index = index
    }

    private var current: UInt8? { index < octets.count ? octets[index] : nil }

    private mutating func take(_ octet: UInt8) throws(PathError) {
        guard current == octet else { throw .syntax }
        index += 1
    }

    private mutating func path(_ direction: Direction) throws(PathError) -> Path {
        let start = index
        try take(0x3C)
        if current == 0x3E {
            guard direction == .reverse else { throw .syntax }
            index += 1
            return Path(mailbox: nil, needsUTF8: false, inner: start + 1..<start + 1)
        }
        if current == 0x40 { try sourceRoute() }
        let local = try localPart(direction)
        var domain = index..<index
        if current == 0x3E, direction == .forward, octets.part(local).isKeyword("POSTMASTER") {
            // RFC 5321 §4.5.1: a recipient that needs no domain.
        } else {
            try take(0x40)
            domain = try self.domain()
        }
        try take(0x3E)
        guard index - start <= Self.pathOctets else { throw .pathTooLong }
        if eightBit { try checkUTF8(octets.part(local), octets.part(domain)) }
        return Path(
            mailbox: Mailbox(checkedLocalPart: octets.part(local), checkedDomain: octets.part(domain)),
            needsUTF8: eightBit, inner: start + 1..<index - 1)
    }

    /// `@one,@two:` is read and left aside (RFC 5321 §4.1.1.3 and appendix C).
    private mutating func sourceRoute() throws(PathError) {
        while true {
            try take(0x40)
            let hop = try domain()
            if eightBit { try checkUTF8(octets.part(hop), octets.part(hop)) }
            if current == 0x3A { break }
            try take(0x2C)
        }
        index += 1
    }

    private mutating func localPart(_ direction: Direction) throws(PathError) -> Range<Int> {
        let start = index
        if current == 0x22 { try quotedString() } else { try dotString() }
        let limit = direction == .reverse ? Self.senderLocalPartOctets : Self.recipientLocalPartOctets
        guard index - start <= limit else { throw .localPartTooLong }
        return start..<index
    }

    private mutating func quotedString() throws(PathError) {
        index += 1
        while let octet = current {
            index += 1
            switch octet {
            case 0x22:
                return
            case 0x5C:
                guard let quoted = current, (0x20...0x7E).contains(quoted) else { throw .syntax }
                index += 1
            case 0x20...0x7E: break
            case 0x80...: eightBit = true
            default: throw .syntax
            }
        }
        throw .syntax
    }

    private mutating func dotString() throws(PathError) {
        var atomStart = index
        while let octet = current {
            if octet == 0x2E {
                guard index > atomStart else { throw .syntax }
                atomStart = index + 1
            } else if octet >= 0x80 {
                eightBit = true
            } else if !Self.isAtomText(octet) {
                break
            }
            index += 1
        }
        guard index > atomStart else { throw .syntax }
    }

    private mutating func domain() throws(PathError) -> Range<Int> {
        let start = index
        if current == 0x5B { try literal() } else { try name() }
        guard index - start <= Self.domainOctets else { throw .domainTooLong }
        return start..<index
    }

    /// Labels of letters, digits, hyphens inside, and octets of UTF-8. Also underscores, which RFC 5321
    /// §4.1.2 does not know: names with them receive mail, and no other reading of them exists.
    private mutating func name() throws(PathError) {
        var labelStart = index
        var labelHasEightBit = false
        while true {
            let octet = current ?? 0
            if octet.isLetterOrDigit || octet == 0x5F {
                index += 1
            } else if octet >= 0x80 {
                labelHasEightBit = true
                index += 1
            } else if octet == 0x2D, index > labelStart {
                index += 1
            } else {
                guard index > labelStart, octets[index - 1] != 0x2D else { throw .syntax }
                // A U-label is longer in UTF-8 than in the DNS, so only labels of ASCII are held to 63 here.
                guard labelHasEightBit || index - labelStart <= 63 else { throw .domainTooLong }
                if labelHasEightBit { eightBit = true }
                guard octet == 0x2E else { return }
                index += 1
                labelStart = index
                labelHasEightBit = false
            }
        }
    }

    /// `[192.0.2.1]`, `[IPv6:…]`, `[tag:…]` (RFC 5321 §4.1.3).
    private mutating func literal() throws(PathError) {
        index += 1
        let start = index
        while let octet = current, (0x21...0x7E).contains(octet), octet != 0x5B, octet != 0x5C, octet != 0x5D
        { index += 1 }
        let inner = octets.part(start..<index)
        try take(0x5D)
        guard inner.count <= Self.domainOctets else { throw .domainTooLong }
        if inner.hasKeywordPrefix("IPV6:") {
            guard IPAddress(String(decoding: inner.part(from: 5), as: UTF8.self)) != nil else {
                throw .syntax
            }
        } else if let colon = inner.firstIndex(of: 0x3A) {
            let tag = inner.part(0..<colon)
            guard !tag.isEmpty, tag.allSatisfy({ $0.isLetterOrDigit || $0 == 0x2D }), tag[colon - 1] != 0x2D,
                colon + 1 < inner.count
            else { throw .syntax }
        } else {
            guard IPAddress(String(decoding: inner, as: UTF8.self)) != nil else { throw .syntax }
        }
    }

    private func checkUTF8(_ local: Octets, _ domain: Octets) throws(PathError) {
        guard local.cleanText != nil, let domain = domain.cleanText else { throw .notUTF8 }
        // Dots and letters that some readers fold into ASCII would make two domains of one name (RFC 5895
        // §2).
        for scalar in domain.unicodeScalars {
            switch scalar.value {
            case 0x3002, 0xFF01...0xFF5E, 0xFF61, 0xAD, 0x200B...0x200F, 0x202A...0x202E, 0x2060,
                0x2066...0x2069, 0xFEFF:
                throw .syntax
            default: break
            }
        }
    }

    /// RFC 5322 §3.2.3.
    private static func isAtomText(_ octet: UInt8) -> Bool {
        if octet.isLetterOrDigit { return true }
        switch octet {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: return true
        default: return false
        }
    }
}
