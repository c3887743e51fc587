/// Who exists in a domain.
package enum RecipientDirectory: Sendable, Equatable {
    /// Unknown to us: everybody is taken, and the next hop decides. A source of bounces; lists are better.
    case any
    case listed(RecipientSet)
}

/// Local parts that exist in one domain.
///
/// Upper and lower case are one by default: RFC 5321 §2.4 leaves that to the host of the mailbox, and no host
/// of today tells them apart.
package struct RecipientSet: Sendable, Equatable {
    package enum Match: Sendable, Equatable {
        case exact
        /// `user+tag`, where `user` exists.
        case subaddress
        case none
    }

    private var localParts: Set<String>
    private let isCaseSensitive: Bool
    private let separators: [UInt8]

    /// `separators`: characters that part a subaddress from its mailbox (RFC 5233 §1), none of them outside
    /// ASCII.
    package init(
        _ localParts: some Sequence<String>, isCaseSensitive: Bool = false,
        subaddressSeparators separators: String = "+"
    ) {
        self.isCaseSensitive = isCaseSensitive
        self.separators = separators.utf8.filter { $0 < 0x80 }
        self.localParts = []
        for localPart in localParts { insert(localPart) }
    }

    package var count: Int { localParts.count }

    package mutating func insert(_ localPart: String) {
        localParts.insert(Self.canonical(localPart, isCaseSensitive: isCaseSensitive))
    }

    package func match(_ localPart: String) -> Match {
        let name = Self.canonical(localPart, isCaseSensitive: isCaseSensitive)
        if localParts.contains(name) { return .exact }
        let octets = name.utf8
        for index in octets.indices.dropFirst() where separators.contains(octets[index]) {
            if localParts.contains(String(name[..<index])) { return .subaddress }
        }
        return .none
    }

    /// The local part without quotes that it does not need, in lower case: `"User"` and `user` are one
    /// mailbox.
    static func canonical(_ localPart: String, isCaseSensitive: Bool = false) -> String {
        var name = localPart
        if name.utf8.first == UInt8(ascii: "\"") && name.utf8.last == UInt8(ascii: "\"")
            && name.utf8.count >= 2
        {
            name = unquoted(name)
        }
        if isCaseSensitive { return name }
        if name.utf8.allSatisfy({ $0 < 0x80 }) {
            guard name.utf8.contains(where: { $0 >= 0x41 && $0 <= 0x5A }) else { return name }
            return String(
                decoding: name.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
        }
        return name.lowercased()
    }

    /// RFC 5321 §4.1.2: the quotes and backslashes of a quoted string are no part of the name.
    private static func unquoted(_ quoted: String) -> String {
        var octets: [UInt8] = []
        var isEscaped = false
        for octet in quoted.utf8.dropFirst().dropLast() {
            if octet == UInt8(ascii: "\\") && !isEscaped {
                isEscaped = true
            } else {
                octets.append(octet)
                isEscaped = false
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
