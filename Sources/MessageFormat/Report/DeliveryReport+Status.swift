import MailValues

/// The part for programs: `message/delivery-status` (RFC 3464 §2).
extension DeliveryReport {
    func appendStatusPart(to octets: inout [UInt8]) {
        appendDelimiter(to: &octets)
        octets.append("Content-Description: Delivery report\r\nContent-Type: ")
        let hasEightBit =
            isInternationalized
            && recipients.contains { !$0.mailbox.isASCII || !isASCII($0.originalRecipient) }
        octets.append(hasEightBit ? "message/global-delivery-status" : "message/delivery-status")
        octets.append(hasEightBit ? "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" : "\r\n\r\n")
        appendMessageFields(to: &octets)
        for recipient in recipients {
            octets.append("\r\n")
            append(recipient, isUTF8: hasEightBit, to: &octets)
        }
    }

    private func isASCII(_ text: String?) -> Bool { text?.utf8.allSatisfy { $0 < 0x80 } ?? true }

    private func appendMessageFields(to octets: inout [UInt8]) {
        if let envelopeID = original.envelopeID {  // RFC 3461 §6.3 (a)
            octets.append("Original-Envelope-Id: ")
            octets.append(contentsOf: envelopeID.printable(limit: 100).utf8)
            octets.append("\r\n")
        }
        octets.append("Reporting-MTA: dns; ")
        octets.append(clean: host.name)
        octets.append("\r\nArrival-Date: ")
        original.arrivedAt.appendMailDate(to: &octets)
        octets.append("\r\nX-Queue-Id: ")
        octets.append(original.id)
        octets.append("\r\n")
    }

    private func append(_ recipient: Recipient, isUTF8: Bool, to octets: inout [UInt8]) {
        if let address = recipient.originalRecipient {
            octets.append("Original-Recipient: ")
            appendTyped(address, isUTF8: isUTF8, to: &octets)
            octets.append("\r\n")
        }
        octets.append("Final-Recipient: ")
        // RFC 6533 §3: addresses outside of ASCII have a type of their own.
        let type = recipient.mailbox.isASCII ? "rfc822; " : "utf-8; "
        appendTyped(type + recipient.mailbox.description, isUTF8: isUTF8, to: &octets)
        octets.append("\r\nAction: ")
        octets.append(contentsOf: recipient.action.rawValue.utf8)
        octets.append("\r\nStatus: ")
        octets.append(contentsOf: recipient.status.description.utf8)
        octets.append("\r\n")
        if let host = recipient.remoteHost {
            octets.append("Remote-MTA: dns; ")
            octets.append(contentsOf: host.printable(limit: 255).utf8)
            octets.append("\r\n")
        }
        if let reply = recipient.reply {
            octets.append(
                recipient.isOurWord ? "Diagnostic-Code: x-chappe; " : "Diagnostic-Code: smtp; ")
            octets.append(folded: reply.description.printable(limit: limits.replyOctets))
            octets.append("\r\n")
        }
        if let moment = recipient.lastAttempt {
            octets.append("Last-Attempt-Date: ")
            moment.appendMailDate(to: &octets)
            octets.append("\r\n")
        }
        // RFC 3464 §2.3.9: in no others
        if recipient.action == .delayed, let moment = recipient.retriedUntil {
            octets.append("Will-Retry-Until: ")
            moment.appendMailDate(to: &octets)
            octets.append("\r\n")
        }
    }

    /// An address with its type; `utf-8` ones in ASCII unless the part is of the global kind (RFC 6533 §3).
    private func appendTyped(_ address: String, isUTF8: Bool, to octets: inout [UInt8]) {
        guard let semicolon = address.firstIndex(of: ";"), address[..<semicolon].lowercased() == "utf-8"
        else {
            octets.append(contentsOf: address.printable(limit: 500).utf8)
            return
        }
        let value = address[address.index(after: semicolon)...].drop { $0 == " " }
        octets.append("utf-8; ")
        if isUTF8 {
            octets.append(clean: String(value))
        } else {
            for scalar in value.unicodeScalars { octets.append(embedded: scalar) }
        }
    }
}

extension [UInt8] {
    /// One letter of `utf-8-addr-xtext` (RFC 6533 §3): what is not a QCHAR becomes `\x{…}`.
    fileprivate mutating func append(embedded scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x21...0x2A, 0x2C...0x3C, 0x3E...0x5B, 0x5D...0x7E: append(UInt8(scalar.value))
        default:
            let digits = String(scalar.value, radix: 16, uppercase: true)
            append("\\x{")
            if digits.utf8.count < 2 { append(0x30) }
            append(contentsOf: digits.utf8)
            append(0x7D)
        }
    }

    /// Printable ASCII, folded at spaces so that no line is longer than people like to read (RFC 5322
    /// §2.1.1).
    fileprivate mutating func append(folded text: String) {
        var column = 24
        for (index, word) in text.utf8.split(separator: 0x20).enumerated() {
            if index > 0 {
                let isFull = column + 1 + word.count > 76
                append(isFull ? "\r\n\t" : " ")
                column = isFull ? 8 : column + 1
            }
            append(contentsOf: word)
            column += word.count
        }
    }
}
