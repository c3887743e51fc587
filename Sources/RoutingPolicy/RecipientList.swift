package import MailValues

/// A file of recipients: one local part or address a line, `#` begins a comment.
package struct RecipientList: Sendable, Equatable {
    package struct Problem: Error, Sendable, Equatable {
        /// Counted from 1.
        package let line: Int
        package let message: String
    }

    /// Octets of one line; a local part has 64, a domain 255 (RFC 5321 §4.5.3.1).
    package static let lineOctets = 512

    package private(set) var localParts: [String] = []

    /// Reads the text of a list for `domain`; an address must be of that domain.
    package init(parsing text: [UInt8], domain: Domain) throws(Problem) {
        var number = 0
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            guard line.count <= Self.lineOctets else { throw Problem(line: number, message: "line too long") }
            let entry = Self.trimmed(line)
            guard !entry.isEmpty else { continue }
            guard let text = String(validating: entry, as: UTF8.self) else {
                throw Problem(line: number, message: "not UTF-8")
            }
            localParts.append(try Self.localPart(of: text, domain: domain, line: number))
        }
    }

    private static func localPart(of text: String, domain: Domain, line: Int) throws(Problem) -> String {
        guard !text.utf8.contains(where: { $0 < 0x21 || $0 == 0x7F }) || text.utf8.first == UInt8(ascii: "\"")
        else {
            throw Problem(line: line, message: "one recipient a line, without spaces")
        }
        guard let at = text.utf8.lastIndex(of: 0x40) else { return text }
        let named = Domain(text[text.utf8.index(after: at)...])
        guard named == domain || named.aLabel == domain.aLabel else {
            throw Problem(line: line, message: "\(named.name.printable(limit: 80)) is not \(domain.name)")
        }
        guard at > text.startIndex else { throw Problem(line: line, message: "no local part before the @") }
        return String(text[..<at])
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        // A `#` inside an address is legal (RFC 5322 §3.2.3), so a comment begins a line or follows a space.
        var line = line
        for index in line.indices where line[index] == UInt8(ascii: "#") {
            if index == line.startIndex || line[index - 1] == 0x20 || line[index - 1] == 0x09 {
                line = line[..<index]
                break
            }
        }
        func isBlank(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 || octet == 0x0D }
        line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line = line.dropLast() }
        return line
    }
}
