import MailValues

/// Octets above 127 in a message (RFC 6152). We say how it is when we send it on, so nothing is checked here.
enum EightBitMIMEExtension: ServiceExtension {
    static let keyword = "8BITMIME"
    static let mailLineOctets = 17  // RFC 6152 §2

    static func takeMail(_ parameter: Parameter, into command: inout MailCommand) throws(CommandError) -> Bool
    {
        guard parameter.name.isKeyword("BODY") else { return false }
        guard command.body == nil else { throw .repeatedParameter }
        guard let value = parameter.value else { throw .badParameter }
        if value.isKeyword("8BITMIME") {
            command.body = .eightBitMIME
        } else if value.isKeyword("7BIT") {
            command.body = .sevenBit
        } else {
            throw .badParameter  // BINARYMIME too: it is not offered (RFC 3030 §3)
        }
        return true
    }
}
