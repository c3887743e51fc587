/// Ways to write a recipient so that one reader sees our domain and the next one somebody else's.
///
/// They are looked for in recipients that somebody without a right wants relayed, and nowhere else: senders
/// carry `=`, `+` and `%` in honest work (VERP, SRS, BATV), and who has a right may write what the grammar
/// allows.
package enum AddressTrick: String, Sendable, CaseIterable {
    /// NUL, CR, LF, TAB and their kin: another program may end the address there.
    case controlCharacter = "control character"
    /// `<@a,@b:user@c>` (RFC 5321 appendix C).
    case sourceRoute = "source route"
    /// `user%elsewhere@here`: a gateway of the eighties turns it into `user@elsewhere`.
    case percentHack = "percent hack"
    /// `elsewhere!user@here`, from UUCP.
    case bangPath = "bang path"
    /// `"user@elsewhere"@here`: whoever drops the quotes sends it on.
    case quotedAt = "quoted @"
    /// `user@elsewhere@here`.
    case secondAt = "more than one @"
    /// `=40`, `+40`, `&#64;`, `\100`, UTF-7, encoded words, wide forms of `@ % !`: decoded once too often, an
    /// `@` again.
    case encoded = "encoded @"
    /// Octets that are not UTF-8, overlong forms among them.
    case notUTF8 = "not UTF-8"
    /// `: , ; < > ( ) \` space: where lists, groups, comments and ports begin.
    case separator = "separator inside an address"
    /// `user@[192.0.2.1]`: a host named by its address.
    case literal = "address literal"
    /// `user@here.`
    case finalDot = "final dot"
    /// A local part that a mailer might take for an option or a program: `-oX`, `|cmd`.
    case command = "looks like a command"
}

extension AddressTrick {
    /// The first trick in the octets between `<` and `>`, or nil for a plain address.
    package static func find(in path: [UInt8]) -> AddressTrick? {
        path.withUnsafeBufferPointer { find(in: $0) }
    }

    /// One look at each octet decides for almost every address.
    private static func find(in path: UnsafeBufferPointer<UInt8>) -> AddressTrick? {
        var seen: Traits = []
        var atCount = 0
        for octet in path {
            seen.formUnion(traits[Int(octet)])
            if octet == 0x40 { atCount += 1 }
        }
        let starts = path.first.map { traits[Int($0)].contains(.atStart) } ?? false
        if seen.isDisjoint(with: .suspect) && atCount <= 1 && !starts && path.last != 0x2E { return nil }
        return examine(path, seen: seen, atCount: atCount)
    }

    /// Whether some octet below 0x20 or 0x7F stands in the path: nobody may send such an address on.
    package static func hasControls(_ path: [UInt8]) -> Bool {
        path.contains { $0 < 0x20 || $0 == 0x7F }
    }

    private struct Traits: OptionSet {
        let rawValue: UInt8
        static let control = Traits(rawValue: 1)
        static let percent = Traits(rawValue: 2)
        static let bang = Traits(rawValue: 4)
        static let separator = Traits(rawValue: 8)
        static let encoder = Traits(rawValue: 16)
        static let eightBit = Traits(rawValue: 32)
        static let quoteOrBracket = Traits(rawValue: 64)
        /// Matters only as the first octet.
        static let atStart = Traits(rawValue: 128)
        static let suspect: Traits = [
            .control, .percent, .bang, .separator, .encoder, .eightBit, .quoteOrBracket,
        ]
    }

    private static let traits: [Traits] = (0..<256).map { octet in
        switch UInt8(octet) {
        case 0..<0x20, 0x7F: .control
        case UInt8(ascii: "%"): .percent
        case UInt8(ascii: "!"): .bang
        case UInt8(ascii: " "), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ":"),
            UInt8(ascii: ";"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"):
            .separator
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "&"), UInt8(ascii: "#"): .encoder
        case UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "]"): .quoteOrBracket
        case UInt8(ascii: "@"), UInt8(ascii: "-"), UInt8(ascii: "|"): .atStart
        case 0x80...: .eightBit
        default: []
        }
    }

    private static func examine(
        _ path: UnsafeBufferPointer<UInt8>, seen: Traits, atCount: Int
    ) -> AddressTrick? {
        if seen.contains(.control) { return .controlCharacter }
        if path.first == UInt8(ascii: "@") { return .sourceRoute }
        let lastAt = path.lastIndex(of: 0x40)
        let local = path[..<(lastAt ?? path.endIndex)]
        let domain = path[(lastAt.map { $0 + 1 } ?? path.endIndex)...]
        if local.contains(UInt8(ascii: "%")) { return .percentHack }
        if local.contains(UInt8(ascii: "!")) { return .bangPath }
        if atCount > 1 { return local.first == UInt8(ascii: "\"") ? .quotedAt : .secondAt }
        if seen.contains(.eightBit) {
            if !isUTF8(path) { return .notUTF8 }
            if wideForms.contains(where: { contains($0, in: path) }) { return .encoded }
        }
        if seen.contains(.encoder) || local.contains(UInt8(ascii: "\\")) {
            if hidesAt(local) { return .encoded }
        }
        if domain.first == UInt8(ascii: "[") { return .literal }
        if seen.contains(.separator) { return .separator }
        if domain.contains(where: {
            traits[Int($0)].isDisjoint(with: [.percent, .bang, .quoteOrBracket]) == false
        }) {
            return .separator
        }
        if let first = local.first(where: { $0 != UInt8(ascii: "\"") }),
            first == UInt8(ascii: "-") || first == UInt8(ascii: "|")
        {
            return .command
        }
        if domain.last == 0x2E || (domain.isEmpty && local.last == 0x2E) { return .finalDot }
        return nil
    }

    /// `@`, `%` and `!` in full-width and small forms, which NFKC turns into the plain ones.
    private static let wideForms: [[UInt8]] = [
        "\u{FF20}", "\u{FE6B}", "\u{FF05}", "\u{FE6A}", "\u{FF01}", "\u{FE57}",
    ]
    .map { Array($0.utf8) }

    private static func contains(_ pattern: [UInt8], in path: UnsafeBufferPointer<UInt8>) -> Bool {
        guard path.count >= pattern.count else { return false }
        return (0...(path.count - pattern.count)).contains { start in
            pattern.indices.allSatisfy { path[start + $0] == pattern[$0] }
        }
    }

    /// Whether what follows an encoded `@` (or `%`) could be a host, so that `prvs=4012345678=user` and
    /// `user+40` pass.
    private static func hidesAt(_ local: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        let text = local.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
        if text.starts(with: "=?".utf8) { return true }
        for marker in encodedMarks {
            guard text.count > marker.octets.count else { continue }
            for start in 0..<(text.count - marker.octets.count)
            where text[start...].starts(with: marker.octets) {
                let rest = text[(start + marker.octets.count)...]
                if !marker.needsHost || isHost(rest) { return true }
            }
        }
        return false
    }

    private static let encodedMarks: [(octets: [UInt8], needsHost: Bool)] = [
        (Array("=40".utf8), true), (Array("=25".utf8), true), (Array("+40".utf8), true),
        (Array("+25".utf8), true),
        (Array("#40".utf8), true), (Array("+aea-".utf8), false), (Array("&aea-".utf8), false),
        (Array("&#".utf8), false), (Array("&commat".utf8), false), (Array("\\100".utf8), false),
        (Array("\\x40".utf8), false), (Array("\\u0040".utf8), false), (Array("\\@".utf8), false),
    ]

    /// Letters, digits, hyphens and at least one dot inside.
    private static func isHost(_ text: ArraySlice<UInt8>) -> Bool {
        let text = text.last == UInt8(ascii: "\"") ? text.dropLast() : text
        guard let dot = text.firstIndex(of: 0x2E), dot > text.startIndex, text.last != 0x2E else {
            return false
        }
        return text.allSatisfy {
            $0 == 0x2E || $0 == 0x2D || ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x7A) || $0 >= 0x80
        }
    }

    private static func isUTF8(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        String(validating: path, as: UTF8.self) != nil
    }
}
