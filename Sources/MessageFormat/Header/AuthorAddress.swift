package import MailValues

/// An address in a From, Sender or similar field (RFC 5322 §3.4.1).
package struct AuthorAddress: Sendable, Equatable {
    /// As RFC 5321 would write it, quoted where it must be; nil: several words that no dot joins.
    package let localPart: String?
    package let domain: Domain

    package var mailbox: Mailbox? { localPart.map { Mailbox(localPart: $0, domain: domain) } }
}

/// The addresses in a From, Sender or similar field, in their order.
///
/// nil if the value cannot be read with one meaning alone, or holds no address. Permissions hang on it, so
/// that `a@ours.example <b@theirs.example>` must not be taken for either.
package func authorAddresses(inFieldValue value: ArraySlice<UInt8>) -> [AuthorAddress]? {
    guard !value.contains(0) else { return nil }
    var reader = AddressListReader(lexer: FieldLexer(value))
    guard reader.readList(), !reader.addresses.isEmpty else { return nil }
    return reader.addresses
}

private struct AddressListReader {
    /// Addresses read from one field. Real ones have one; a list field of thousands is not a From.
    static let addressLimit = 1_000

    var lexer: FieldLexer
    var addresses: [AuthorAddress] = []
    private var isInGroup = false
    /// The words read last, as a local part; nil: they are none.
    private var localPart: String?

    init(lexer: FieldLexer) { self.lexer = lexer }

    mutating func readList() -> Bool {
        while true {
            guard lexer.skipCFWS(), addresses.count < Self.addressLimit else { return false }
            switch lexer.next {
            case nil: return !isInGroup
            case 0x2C: _ = lexer.take(0x2C)  // empty elements are obsolete syntax (RFC 5322 §4.4)
            case 0x3B:
                guard isInGroup else { return false }
                isInGroup = false
                _ = lexer.take(0x3B)
            default: guard readAddressOrGroup() else { return false }
            }
        }
    }

    private mutating func readAddressOrGroup() -> Bool {
        guard let hasWords = readWords() else { return false }
        switch lexer.next {
        case 0x3A where hasWords && !isInGroup:
            isInGroup = true
            return lexer.take(0x3A)
        case 0x3C:
            return lexer.take(0x3C) && readRoute() && readAddressSpecification() && lexer.take(0x3E)
                && isAtBoundary()
        case 0x40 where hasWords:
            return lexer.take(0x40) && readDomain() && isAtBoundary()
        default:
            return false
        }
    }

    /// An address ends at a comma, at the end of its group or at the end of the field.
    private mutating func isAtBoundary() -> Bool {
        guard lexer.skipCFWS() else { return false }
        return lexer.isAtEnd || lexer.next == 0x2C || lexer.next == 0x3B && isInGroup
    }

    /// A phrase or a local part: atoms, dots and quoted strings. nil: broken. The result says whether there
    /// was any.
    private mutating func readWords() -> Bool? {
        var name: [UInt8] = []
        var isJoined = true
        var mayGoOn = true
        while true {
            guard lexer.skipCFWS() else { return nil }
            var word: [UInt8]
            if lexer.next == 0x22 {
                guard let content = lexer.quotedString() else { return nil }
                isJoined = isJoined && mayGoOn
                word = content
                mayGoOn = false
            } else {
                word = Array(lexer.run(while: { $0.isAtomText || $0 == 0x2E }))
                guard let last = word.last else {
                    localPart = isJoined ? Self.localPart(name) : nil
                    return !name.isEmpty || !mayGoOn
                }
                isJoined = isJoined && (mayGoOn || word[0] == 0x2E)
                mayGoOn = last == 0x2E
            }
            name += word
        }
    }

    /// Quoted only where it must be, so that one name has one form.
    private static func localPart(_ name: [UInt8]) -> String? {
        guard !name.isEmpty else { return nil }
        let isPlain =
            name.allSatisfy { $0.isAtomText || $0 == 0x2E } && name.first != 0x2E && name.last != 0x2E
        if isPlain { return String(decoding: name, as: UTF8.self) }
        let escaped = name.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] }
        return "\"\(String(decoding: escaped, as: UTF8.self))\""
    }

    /// `@a,@b:` before the address: obsolete, and without meaning (RFC 5322 §4.4).
    private mutating func readRoute() -> Bool {
        guard lexer.skipCFWS() else { return false }
        guard lexer.next == 0x40 || lexer.next == 0x2C else { return true }
        let kept = addresses
        while lexer.next == 0x40 || lexer.next == 0x2C {
            if lexer.take(0x40) { guard readDomain() else { return false } } else { _ = lexer.take(0x2C) }
            guard lexer.skipCFWS() else { return false }
        }
        addresses = kept
        return lexer.take(0x3A)
    }

    private mutating func readAddressSpecification() -> Bool {
        readWords() == true && lexer.take(0x40) && readDomain() && lexer.skipCFWS()
    }

    private mutating func readDomain() -> Bool {
        guard lexer.skipCFWS() else { return false }
        var name: [UInt8] = []
        if lexer.next == 0x5B {
            name += lexer.run { $0 != 0x5D && $0 > 0x20 && $0 < 0x7F }
            guard lexer.take(0x5D) else { return false }
            name.append(0x5D)
        } else {
            repeat {
                name += lexer.run { $0.isAtomText || $0 == 0x2E }
                guard lexer.skipCFWS() else { return false }
            } while lexer.next.map { ($0 == 0x2E || name.last == 0x2E) && ($0.isAtomText || $0 == 0x2E) }
                ?? false
        }
        if name.last == 0x2E { name.removeLast() }
        guard !name.isEmpty, name.count <= 255, name.first != 0x2E else { return false }
        addresses.append(
            AuthorAddress(localPart: localPart, domain: Domain(String(decoding: name, as: UTF8.self))))
        return true
    }
}
