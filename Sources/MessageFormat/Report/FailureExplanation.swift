import MailValues

/// What an enhanced status means, in words for the sender of a message (RFC 3463 §3).
enum FailureExplanation {
    /// - Parameter isOurWord: no host of the domain said it.
    static func sentence(for status: EnhancedStatus, domain: String, isOurWord: Bool = false) -> String {
        let isTemporary = status.statusClass == 4
        if isOurWord, let sentence = ourSentence(for: status) { return sentence }
        switch (status.subject, status.detail) {
        case (1, 1), (1, 0), (1, 6): return "There is no such mailbox at \(domain)."
        case (1, 2): return "The domain \(domain) does not exist, or takes no mail."
        case (1, 3): return "The address is not written correctly."
        case (1, 7), (1, 8): return "The receiving system did not like your own address."
        case (1, 10): return "The domain \(domain) takes no mail at all."  // RFC 7505 §4.2
        case (2, 1): return "The mailbox is closed or switched off."
        case (2, 2): return "The mailbox is full."
        case (2, 3), (3, 4): return "The message is too large for the receiving system."
        case (3, _): return "The receiving system cannot take mail at the moment."
        case (4, 1), (4, 2): return "The receiving system does not answer."
        case (4, 3), (4, 4): return "We could not find out where mail for \(domain) goes."
        case (4, 6): return "The message went in circles between mail systems."
        case (4, 7): return "It could not be delivered in the time that we keep trying."
        case (6, 3): return "The message holds characters that the receiving system cannot take."
        case (6, 7): return "The receiving system cannot take addresses with such characters."
        case (7, 4), (7, 5), (7, 10), (7, 11):
            return "No safe connection to the receiving system was possible."
        case (7, _):
            return isTemporary
                ? "The receiving system does not take this message for now, by its own rules."
                : "The receiving system refused the message by its own rules."
        default:
            return isTemporary
                ? "The receiving system could not take the message for now."
                : "The receiving system refused the message."
        }
    }

    /// Where the usual sentence would blame a system that knows nothing of the message; nil: it would not.
    private static func ourSentence(for status: EnhancedStatus) -> String? {
        let isTemporary = status.statusClass == 4
        switch (status.subject, status.detail) {
        // A channel that could not be made safe is what it says it is.
        case (7, 4), (7, 5), (7, 10), (7, 11): return nil
        case (7, _):
            return isTemporary
                ? "This mail system does not send it for now, by its own rules."
                : "It was not sent: the postmaster of this mail system, or a rule of his, decided so."
        case (3, let detail) where detail != 4: return "This mail system cannot send it at the moment."
        case (1...7, _): return nil
        default:
            return isTemporary
                ? "This mail system could not send it for now." : "This mail system did not send it."
        }
    }
}
