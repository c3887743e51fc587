import MailValues

/// Who wants to hear of what becomes of a message (RFC 3461).
enum DSNExtension: ServiceExtension {
    static let keyword = "DSN"
    static let mailLineOctets = 112 + 9  // ENVID and RET (RFC 3461 §4.3, §4.4)
    static let recipientLineOctets = 500 + 29  // ORCPT and NOTIFY (RFC 3461 §4.1, §4.2)

    /// Octets of ENVID, decoded (RFC 3461 §4.4).
    private static let envelopeIDOctets = 100
    /// Octets of ORCPT, as it came (RFC 3461 §4.2).
    private static let originalRecipientOctets = 500

    static func takeMail(_ parameter: Parameter, into command: inout MailCommand) throws(CommandError) -> Bool
    {
        if parameter.name.isKeyword("RET") {
            guard command.dsnReturn == nil else { throw .repeatedParameter }
            if parameter.value?.isKeyword("FULL") == true {
                command.dsnReturn = .full
            } else if parameter.value?.isKeyword("HDRS") == true {
                command.dsnReturn = .headers
            } else {
                throw .badParameter
            }
            return true
        }
        guard parameter.name.isKeyword("ENVID") else { return false }
        guard command.dsnEnvelopeID == nil else { throw .repeatedParameter }
        guard let value = parameter.value, let id = Xtext.decodeText(value), !id.isEmpty,
            id.utf8.count <= envelopeIDOctets, id.utf8.allSatisfy({ $0 < 0x80 })
        else { throw .badParameter }
        command.dsnEnvelopeID = id
        return true
    }

    static func takeRecipient(
        _ parameter: Parameter, into command: inout RecipientCommand
    ) throws(CommandError) -> Bool {
        if parameter.name.isKeyword("NOTIFY") {
            guard command.notify == nil else { throw .repeatedParameter }
            guard let value = parameter.value else { throw .badParameter }
            command.notify = try notify(value)
            return true
        }
        guard parameter.name.isKeyword("ORCPT") else { return false }
        guard command.originalRecipient == nil else { throw .repeatedParameter }
        guard let value = parameter.value, value.count <= originalRecipientOctets else { throw .badParameter }
        command.originalRecipient = try originalRecipient(value)
        return true
    }

    private static func notify(_ value: Octets) throws(CommandError) -> DSNNotify {
        var notify: DSNNotify = []
        var rest = value
        while true {
            let comma = rest.firstIndex(of: 0x2C)
            let word = rest.part(0..<(comma ?? rest.count))
            if word.isKeyword("NEVER") {
                notify.insert(.never)
            } else if word.isKeyword("SUCCESS") {
                notify.insert(.success)
            } else if word.isKeyword("FAILURE") {
                notify.insert(.failure)
            } else if word.isKeyword("DELAY") {
                notify.insert(.delay)
            } else {
                throw .badParameter
            }
            guard let comma else { break }
            rest = rest.part(from: comma + 1)
        }
        // RFC 3461 §4.1: NEVER stands alone.
        guard !notify.contains(.never) || notify == .never else { throw .badParameter }
        return notify
    }

    /// `type;address`, the address decoded as its type asks (RFC 3461 §4.2, RFC 6533 §3).
    private static func originalRecipient(_ value: Octets) throws(CommandError) -> String {
        guard let semicolon = value.firstIndex(of: 0x3B), semicolon > 0, semicolon + 1 < value.count else {
            throw .badParameter
        }
        let type = value.part(0..<semicolon)
        guard type.allSatisfy({ $0.isLetterOrDigit || $0 == 0x2D }) else { throw .badParameter }
        let rest = value.part(from: semicolon + 1)
        let address = type.isKeyword("UTF-8") ? Xtext.decodeUTF8Address(rest) : Xtext.decodeText(rest)
        guard let address else { throw .badParameter }
        return String(decoding: type, as: UTF8.self) + ";" + address
    }
}
