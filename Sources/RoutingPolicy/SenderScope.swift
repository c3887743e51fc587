package import MailValues

/// Addresses that an account may send as.
package struct SenderScope: Sendable, Equatable {
    private(set) var isUnlimited = false
    private var mailboxes: Set<Mailbox> = []
    private var domains = DomainTable<Bool>()

    /// Nobody's.
    package init() {}

    /// Anybody's: for a smarthost's customer that forwards mail of others.
    package static var unlimited: SenderScope {
        var scope = SenderScope()
        scope.isUnlimited = true
        return scope
    }

    /// `user@example.org`, `@example.org` or `example.org` for a whole domain, `.example.org` for what lies
    /// below it, `*` for everybody. An entry that can be none of these is refused.
    package init?(_ entries: some Sequence<String>) {
        for entry in entries where !insert(entry) { return nil }
    }

    package func allows(_ mailbox: Mailbox) -> Bool {
        if isUnlimited || domains.value(for: mailbox.domain) != nil { return true }
        guard !mailboxes.isEmpty, let domain = mailbox.domain.aLabel else { return false }
        let name = RecipientSet.canonical(mailbox.localPart)
        if mailboxes.contains(Mailbox(localPart: name, domain: domain)) { return true }
        // Who owns `user@` owns `user+tag@` (RFC 5233 §1).
        guard let plus = name.utf8.firstIndex(of: UInt8(ascii: "+")) else { return false }
        return mailboxes.contains(Mailbox(localPart: String(name[..<plus]), domain: domain))
    }

    private mutating func insert(_ entry: String) -> Bool {
        if entry == "*" {
            isUnlimited = true
            return true
        }
        guard let at = entry.utf8.lastIndex(of: 0x40) else { return domains.insert(true, for: entry) }
        let after = entry[entry.utf8.index(after: at)...]
        guard at > entry.startIndex else { return domains.insert(true, for: String(after)) }
        guard let domain = Domain(after).aLabel, !domain.name.isEmpty else { return false }
        let name = RecipientSet.canonical(String(entry[..<at]))
        mailboxes.insert(Mailbox(localPart: name, domain: domain))
        return true
    }
}
