/// Reads the tokens of structured field values (RFC 5322 §3.2, RFC 2045 §5.1).
///
/// It never fails and always moves on: what it cannot read stays at `position`, for the caller to judge.
struct FieldLexer {
    private let octets: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ octets: ArraySlice<UInt8>) {
        self.octets = octets
        position = octets.startIndex
    }

    var isAtEnd: Bool { position >= octets.endIndex }
    /// The next octet, or nil at the end.
    var next: UInt8? { isAtEnd ? nil : octets[position] }

    mutating func take(_ octet: UInt8) -> Bool {
        guard next == octet else { return false }
        position += 1
        return true
    }

    /// Skips white space, line ends and comments (CFWS, RFC 5322 §3.2.2). False: a comment has no end.
    ///
    /// Comments nest; a counter suffices, so that no depth of theirs costs more than its octets.
    mutating func skipCFWS() -> Bool {
        var depth = 0
        while let octet = next {
            switch octet {
            case 0x20, 0x09, 0x0D, 0x0A: break
            case 0x28: depth += 1
            case 0x29 where depth > 0: depth -= 1
            case 0x5C where depth > 0: position += 1
            default: if depth == 0 { return true }
            }
            position += 1
        }
        return depth == 0
    }

    /// The longest run of octets that `isMember` takes; may be empty.
    mutating func run(while isMember: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while let octet = next, isMember(octet) { position += 1 }
        return octets[start..<position]
    }

    /// The content of a quoted string, backslashes undone; nil if none begins here or it has no end.
    mutating func quotedString() -> [UInt8]? {
        guard take(0x22) else { return nil }
        var content: [UInt8] = []
        while let octet = next {
            position += 1
            switch octet {
            case 0x22: return content
            case 0x5C:
                guard let escaped = next else { return nil }
                position += 1
                content.append(escaped)
            case 0x0D, 0x0A: break  // folding inside of a quoted string is not part of it (RFC 5322 §3.2.4)
            default: content.append(octet)
            }
        }
        return nil
    }
}

extension UInt8 {
    /// Octets of an atom (RFC 5322 §3.2.3), UTF-8 included (RFC 6532 §3.2).
    var isAtomText: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// Octets of a MIME token (RFC 2045 §5.1), UTF-8 included.
    var isTokenText: Bool {
        switch self {
        case 0...0x20, 0x7F: false
        case 0x28, 0x29, 0x3C, 0x3E, 0x40, 0x2C, 0x3B, 0x3A, 0x5C, 0x22, 0x2F, 0x5B, 0x5D, 0x3F, 0x3D: false
        default: true
        }
    }
}
