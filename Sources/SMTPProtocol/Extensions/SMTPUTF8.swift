import MailValues

/// Addresses and headers in UTF-8 (RFC 6531).
enum SMTPUTF8Extension: ServiceExtension {
    static let keyword = "SMTPUTF8"
    static let mailLineOctets = 10  // RFC 6531 §3.1
    static let recipientLineOctets = 10

    static func takeMail(_ parameter: Parameter, into command: inout MailCommand) throws(CommandError) -> Bool
    {
        guard parameter.name.isKeyword("SMTPUTF8") else { return false }
        guard !command.smtpUTF8 else { throw .repeatedParameter }
        guard parameter.value == nil else { throw .badParameter }
        command.smtpUTF8 = true
        return true
    }
}
