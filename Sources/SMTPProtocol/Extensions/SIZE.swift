import MailValues

/// The size we take, and the size that is coming (RFC 1870).
enum SizeExtension: ServiceExtension {
    static let keyword = "SIZE"
    static let mailLineOctets = 26  // RFC 1870 §3

    static func line(_ options: SessionOptions, _ situation: SessionSituation) -> String? {
        "SIZE \(options.limits.messageOctets)"
    }

    static func takeMail(_ parameter: Parameter, into command: inout MailCommand) throws(CommandError) -> Bool
    {
        guard parameter.name.isKeyword("SIZE") else { return false }
        guard command.declaredSize == nil else { throw .repeatedParameter }
        guard let value = parameter.value, value.count <= 20 else { throw .badParameter }  // RFC 1870 §5
        guard value.allSatisfy(\.isDigit) else { throw .badParameter }
        command.declaredSize = value.decimal ?? .max
        return true
    }
}
