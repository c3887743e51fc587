internal import MailValues
internal import SMTPProtocol

/// What clients hear (RFC 4954 §6). The same words for a wrong name and a wrong password.
enum AuthenticationReplies {
    static let wrong = Answer.refuse(Reply(535, EnhancedStatus(5, 7, 8), "authentication failed"))
    static let tooManyFailures = Answer.refuse(
        Reply(454, EnhancedStatus(4, 7, 0), "too many failed attempts, try later"))
    static let busy = Answer.refuse(Reply(454, EnhancedStatus(4, 7, 0), "authentication is busy, try later"))
    static let malformed = Answer.refuse(
        Reply(501, EnhancedStatus(5, 5, 2), "not a message of this mechanism"))
    static let cancelled = Answer.refuse(Reply(501, EnhancedStatus(5, 7, 0), "authentication cancelled"))
    static let unknownMechanism = Answer.refuse(Reply(504, EnhancedStatus(5, 5, 4), "mechanism not offered"))
    static let outOfOrder = Answer.refuse(
        Reply(503, EnhancedStatus(5, 5, 1), "no authentication in progress"))
    /// To MAIL. It ends the session, since AUTH comes once in each (RFC 4954 §4).
    static let loginOver = Reply(421, EnhancedStatus(4, 7, 0), "your account has changed, log in again")
}
