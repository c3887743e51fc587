package import MailValues

/// What intake takes out of every header.
package struct HeaderRules: Sendable, Equatable {
    /// Our authserv-ids in lower case: a field of this name that came from outside is a forgery (RFC 8601
    /// §5).
    package var authenticationServiceIDs: [[UInt8]]
    package var limits = HeaderLimits()

    package init(authenticationServiceIDs: [String], limits: HeaderLimits = HeaderLimits()) {
        self.authenticationServiceIDs = authenticationServiceIDs.map { $0.utf8.map(\.loweredASCII) }
        self.limits = limits
    }
}

/// A message's header as intake sees it, and the content with what it takes out and puts in front.
///
/// Content stays in the arrays in which it came. Only when a field must go is the first piece written anew.
package struct HeaderEdit: Sendable {
    package let scan: HeaderScan
    /// Trace fields: how many relays have seen it (RFC 5321 §6.3).
    package private(set) var receivedCount = 0
    package private(set) var fromCount = 0
    package private(set) var hasDate = false
    package private(set) var hasMessageID = false
    /// Indexes in `scan.fields` of what goes.
    package private(set) var removed: [Int] = []
    /// The header stands wholly in the first.
    private let pieces: [[UInt8]]

    package init(_ content: [[UInt8]], rules: HeaderRules) {
        (pieces, scan) = Self.scanned(content, rules.limits)
        for (index, field) in scan.fields.enumerated() {
            switch field.name {
            case .received: receivedCount += 1
            case .from: fromCount += 1
            case .date: hasDate = true
            case .messageID: hasMessageID = true
            case .returnPath, .bcc, .resentBcc:
                removed.append(index)  // RFC 5321 §4.4: only final delivery adds Return-Path; RFC 5322 §3.6.3
            case .authenticationResults:
                let id = authenticationServiceID(pieces[0][field.valueOctets])
                if let id, rules.authenticationServiceIDs.contains(id) { removed.append(index) }
            case .contentType, .sender, .other: break
            }
        }
    }

    /// The header passes a limit: the message is refused, nothing else here holds.
    package var isTooLong: Bool { scan.ending == .tooLong }

    /// The value of each field of that name, unfolded and trimmed.
    package func values(of name: String) -> [[UInt8]] {
        guard let first = pieces.first else { return [] }
        return scan.fields
            .filter { first[$0.nameOctets].equalsIgnoringCase(name.utf8) }
            .map { unfolded(first[$0.valueOctets]) }
    }

    /// The domains of the author's addresses; nil unless there is exactly one From that reads one way alone.
    package func fromDomains() -> [Domain]? { fromAddresses()?.map(\.domain) }

    /// The author's addresses; nil unless there is exactly one From that reads one way alone.
    package func fromAddresses() -> [AuthorAddress]? {
        guard fromCount == 1, let field = scan.fields.first(where: { $0.name == .from }) else { return nil }
        return authorAddresses(inFieldValue: pieces[0][field.valueOctets])
    }

    /// Who says that he sends for the author: Sender, and the newest Resent-Sender or Resent-From
    /// (RFC 5322 §3.6.2, §3.6.6). A field that stands twice, or reads two ways, names nobody.
    package func senderAddresses() -> [AuthorAddress] {
        let sender = values(of: "Sender")
        let senders = sender.count == 1 ? sender : []
        let resenders = [values(of: "Resent-Sender").first ?? values(of: "Resent-From").first].compactMap {
            $0
        }
        return (senders + resenders).flatMap { authorAddresses(inFieldValue: $0[...]) ?? [] }
    }

    /// The content with `top` (trace header and what submission adds) before everything, in pieces.
    package func content(prepending top: [UInt8]) -> [[UInt8]] {
        var result = [top]
        result.reserveCapacity(pieces.count + 1)
        if needsRewriting {
            result.append(rewrittenFirst())
            result.append(contentsOf: pieces.dropFirst())
        } else {
            result.append(contentsOf: pieces)
        }
        return result
    }

    private var needsRewriting: Bool {
        !removed.isEmpty || scan.mailboxLineOctets > 0 || scan.ending == .notAField
    }

    private func rewrittenFirst() -> [UInt8] {
        let first = pieces[0]
        var kept: [UInt8] = []
        kept.reserveCapacity(first.count + 2)
        var position = scan.mailboxLineOctets
        for index in removed {
            let gone = scan.fields[index].octets
            kept += first[position..<gone.lowerBound]
            position = gone.upperBound
        }
        kept += first[position..<scan.fieldsEnd]
        // Our fields would else run into a first line of the body, and two readers might see two different
        // headers.
        if scan.ending == .notAField { kept += [0x0D, 0x0A] }
        kept += first[scan.fieldsEnd...]
        return kept
    }

    /// Joins pieces until the header section stands in the first: mostly none, as a piece is 64 KiB.
    private static func scanned(_ content: [[UInt8]], _ limits: HeaderLimits) -> ([[UInt8]], HeaderScan) {
        guard let first = content.first else { return ([[]], HeaderScan([], limits: limits)) }
        var scan = HeaderScan(first, limits: limits)
        guard content.count > 1, scan.mayGoOn else { return (content, scan) }
        var joined = first
        var used = 1
        while used < content.count, scan.mayGoOn {
            joined += content[used]
            used += 1
            scan = HeaderScan(joined, limits: limits)
        }
        return ([joined] + content[used...], scan)
    }
}

extension HeaderScan {
    fileprivate var mayGoOn: Bool { ending == .endOfOctets || ending == .notAField && isCut }
}

/// A field's value without line ends, and without white space around it (RFC 5322 §2.2.3).
package func unfolded(_ value: ArraySlice<UInt8>) -> [UInt8] {
    var text = value.filter { $0 != 0x0D && $0 != 0x0A }[...]
    while let last = text.last, last.isBlank { text.removeLast() }
    while let first = text.first, first.isBlank { text.removeFirst() }
    return Array(text)
}
