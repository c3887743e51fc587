import MailValues

/// One service extension as the server offers it (RFC 5321 §2.2): its EHLO line and its parameters.
///
/// Only an extension that adds a verb touches the session machine as well.
protocol ServiceExtension: SendableMetatype {
    static var keyword: String { get }
    /// Octets that its parameters add to the longest MAIL and RCPT.
    static var mailLineOctets: Int { get }
    static var recipientLineOctets: Int { get }
    /// Whether this listener has it at all.
    static func isEnabled(_ options: SessionOptions) -> Bool
    /// Its line in the reply to EHLO; nil where this session is not offered it now.
    static func line(_ options: SessionOptions, _ situation: SessionSituation) -> String?
    /// Takes a parameter of MAIL or RCPT; false where it belongs to another extension.
    static func takeMail(_ parameter: Parameter, into command: inout MailCommand) throws(CommandError) -> Bool
    static func takeRecipient(
        _ parameter: Parameter, into command: inout RecipientCommand
    ) throws(CommandError) -> Bool
}

extension ServiceExtension {
    static var mailLineOctets: Int { 0 }
    static var recipientLineOctets: Int { 0 }
    static func isEnabled(_ options: SessionOptions) -> Bool { true }
    static func line(_ options: SessionOptions, _ situation: SessionSituation) -> String? { keyword }
    static func takeMail(_ parameter: Parameter, into command: inout MailCommand) throws(CommandError) -> Bool
    { false }
    static func takeRecipient(
        _ parameter: Parameter, into command: inout RecipientCommand
    ) throws(CommandError) -> Bool { false }
}

/// `KEYWORD` or `KEYWORD=value` behind a path (RFC 5321 §4.1.2).
struct Parameter {
    let name: Octets
    /// Nil without `=`; never empty.
    let value: Octets?
}
