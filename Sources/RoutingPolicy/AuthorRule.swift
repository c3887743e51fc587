package import MailValues

/// Whose name an account may write into From (RFC 6409 §6.3, §8.1). What it may say in MAIL is held to its own
/// addresses in any case.
package enum AuthorRule: String, Sendable, CaseIterable {
    /// Every author is one of its own addresses.
    case own
    /// As `own`; or Sender, Resent-Sender or Resent-From is, and says who writes for the author.
    case sender
    /// From is not looked at.
    case any
}

/// Whom a message's header names.
package struct NamedAuthors: Sendable, Equatable {
    /// Of From; nil where it cannot be read with one meaning alone, empty where there is none.
    package var authors: [Mailbox]?
    /// Of Sender and its kin.
    package var senders: [Mailbox]

    package init(authors: [Mailbox]?, senders: [Mailbox] = []) {
        self.authors = authors
        self.senders = senders
    }
}

extension RelayPolicy {
    /// Whether `account` may send what these are said to have written. nil: yes.
    ///
    /// A message without any From names nobody wrongly, and passes: RFC 6409 §6.3 leaves its faults to us.
    package func authorDecision(account: String, _ rule: AuthorRule, _ named: NamedAuthors) -> Reply? {
        switch rule {
        case .any: return nil
        case .sender where named.senders.contains { mayAccount(account, sendAs: $0) }: return nil
        case .own, .sender: break
        }
        guard !mayAccountBeAnybody(account) else { return nil }
        guard let authors = named.authors, authors.allSatisfy({ mayAccount(account, sendAs: $0) }) else {
            return Replies.notYourName
        }
        return nil
    }
}
