import MailValues

/// Who is it? (RFC 4954); `ServerSession+Authentication` speaks it.
enum AuthExtension: ServiceExtension {
    static let keyword = "AUTH"
    static let mailLineOctets = 500  // RFC 4954 §3

    static func isEnabled(_ options: SessionOptions) -> Bool { !options.authenticationMechanisms.isEmpty }

    static func line(_ options: SessionOptions, _ situation: SessionSituation) -> String? {
        let mechanisms = mechanisms(options, situation)
        return mechanisms.isEmpty ? nil : "AUTH " + mechanisms.joined(separator: " ")
    }

    /// The mechanisms that this session may use now.
    static func mechanisms(_ options: SessionOptions, _ situation: SessionSituation) -> [String] {
        guard situation.contains(.encrypted) || options.allowsClearAuthentication else { return [] }
        guard !situation.contains(.authenticated) else { return [] }
        return options.authenticationMechanisms.filter {
            if $0 == "EXTERNAL" { return situation.contains(.certified) }
            return !$0.hasSuffix("-PLUS") || situation.contains(.bindable)
        }
    }

    static func takeMail(_ parameter: Parameter, into command: inout MailCommand) throws(CommandError) -> Bool
    {
        guard parameter.name.isKeyword("AUTH") else { return false }
        guard command.authorization == nil else { throw .repeatedParameter }
        guard let value = parameter.value, let text = Xtext.decodeText(value), !text.isEmpty else {
            throw .badParameter
        }
        command.authorization = text == "<>" ? "" : text  // RFC 4954 §5
        return true
    }
}
