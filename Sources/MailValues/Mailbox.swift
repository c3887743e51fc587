/// A domain, in lower case, without a final dot; or an address literal with its brackets (RFC 5321 §4.1.3).
///
/// Made by the parsers of `SMTPProtocol` and of the configuration, which check its form; this type does not.
package struct Domain: Hashable, Sendable, CustomStringConvertible {
    /// Letters of ASCII are lower case; U-labels stay as they came (RFC 6531 §3.7.1).
    package let name: String

    /// Lowers the letters of ASCII; the caller has checked the form.
    package init(_ name: String) {
        // Not generic, so that it is compiled for String: it was a fifth of the time that a start needs.
        if name.utf8.contains(where: { $0 >= 0x41 && $0 <= 0x5A }) {
            self.name = String(
                decoding: name.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
        } else {
            self.name = name
        }
    }

    package init(_ name: some StringProtocol) { self.init(String(name)) }

    package var isLiteral: Bool { name.utf8.first == 0x5B }
    package var isASCII: Bool { name.utf8.allSatisfy { $0 < 0x80 } }
    package var description: String { name }
}

/// A mailbox: local part, `@`, domain (RFC 5321 §4.1.2). The local part keeps its case and its quotes.
package struct Mailbox: Hashable, Sendable, CustomStringConvertible {
    package let localPart: String
    /// Empty only for `<postmaster>` (RFC 5321 §4.5.1).
    package let domain: Domain

    package init(localPart: String, domain: Domain) {
        self.localPart = localPart
        self.domain = domain
    }

    package var isASCII: Bool { domain.isASCII && localPart.utf8.allSatisfy { $0 < 0x80 } }

    /// As it stands between `<` and `>`.
    package var description: String { domain.name.isEmpty ? localPart : "\(localPart)@\(domain.name)" }
}

/// Who hears of failures: a mailbox, or nobody (`MAIL FROM:<>`, RFC 5321 §4.5.5).
package enum ReversePath: Hashable, Sendable, CustomStringConvertible {
    case null
    case mailbox(Mailbox)

    package var mailbox: Mailbox? { if case .mailbox(let mailbox) = self { mailbox } else { nil } }
    package var description: String { mailbox?.description ?? "" }
}
