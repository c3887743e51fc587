import MailValues

/// Writes MAIL and RCPT for one peer: each parameter only where it is offered.
///
/// What it writes is one line, whatever stands in the values: an octet that could end a line makes the write
/// fail, and leaves `octets` as they were.
struct EnvelopeCommands: Sendable {
    let peer: PeerCapabilities

    /// RFC 5321 §4.1.1.2.
    func appendMail(_ transaction: OutboundTransaction, to octets: inout [UInt8]) -> Bool {
        let start = octets.count
        octets.append("MAIL FROM:<")
        guard append(transaction.reversePath.mailbox, to: &octets) else {
            octets.removeSubrange(start...)
            return false
        }
        octets.append(0x3E)
        if peer.size != nil {
            octets.append(" SIZE=")
            octets.appendDecimal(transaction.sizeOctets)
        }
        if peer.eightBitMIME && transaction.body == .eightBitMIME { octets.append(" BODY=8BITMIME") }
        if peer.smtpUTF8 && transaction.smtpUTF8 { octets.append(" SMTPUTF8") }
        if peer.dsn {
            switch transaction.dsnReturn {
            case .full: octets.append(" RET=FULL")
            case .headers: octets.append(" RET=HDRS")
            case nil: break
            }
            if let id = transaction.dsnEnvelopeID, !id.isEmpty {
                octets.append(" ENVID=")
                octets.appendXText(id)
            }
        }
        octets.append("\r\n")
        return true
    }

    /// RFC 5321 §4.1.1.3; `smtpUTF8`: the transaction said so at MAIL.
    func appendRecipient(
        _ recipient: OutboundTransaction.Recipient, smtpUTF8: Bool, to octets: inout [UInt8]
    ) -> Bool {
        let start = octets.count
        octets.append("RCPT TO:<")
        guard append(recipient.mailbox, to: &octets), octets.last != 0x3C else {
            octets.removeSubrange(start...)
            return false
        }
        octets.append(0x3E)
        if peer.dsn {
            if let notify = recipient.notify, !notify.isEmpty { Self.append(notify, to: &octets) }
            if let original = recipient.originalRecipient {
                octets.appendOriginalRecipient(original, keepsUTF8: peer.smtpUTF8 && smtpUTF8)
            }
        }
        octets.append("\r\n")
        return true
    }

    private func append(_ mailbox: Mailbox?, to octets: inout [UInt8]) -> Bool {
        guard let mailbox else { return true }
        guard octets.appendPathText(mailbox.localPart) else { return false }
        guard !mailbox.domain.name.isEmpty else { return true }
        octets.append(0x40)
        return octets.appendPathText(mailbox.domain.name)
    }

    /// RFC 3461 §4.1: NEVER stands alone.
    private static func append(_ notify: DSNNotify, to octets: inout [UInt8]) {
        octets.append(" NOTIFY=")
        guard !notify.contains(.never) else {
            octets.append("NEVER")
            return
        }
        var isFirst = true
        func add(_ word: StaticString, if wanted: DSNNotify) {
            guard notify.contains(wanted) else { return }
            if !isFirst { octets.append(0x2C) }
            isFirst = false
            octets.append(word)
        }
        add("SUCCESS", if: .success)
        add("FAILURE", if: .failure)
        add("DELAY", if: .delay)
    }
}

extension [UInt8] {
    /// False where a control character stands in the text: it could end the command and begin another.
    fileprivate mutating func appendPathText(_ text: String) -> Bool {
        let start = count
        append(contentsOf: text.utf8)
        return withUnsafeBufferPointer { all in all[start...].allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
    }

    /// xtext (RFC 3461 §4): printable ASCII as it is, but `+` and `=`; everything else as `+` and two digits.
    fileprivate mutating func appendXText(_ text: some StringProtocol) {
        for octet in text.utf8 {
            if octet > 0x20 && octet < 0x7F && octet != 0x2B && octet != 0x3D {
                append(octet)
            } else {
                append(0x2B)
                append(Self.digit(octet >> 4))
                append(Self.digit(octet & 15))
            }
        }
    }

    /// ` ORCPT=rfc822;…`, or nothing where the value has no address type (RFC 3461 §4.2).
    fileprivate mutating func appendOriginalRecipient(_ value: String, keepsUTF8: Bool) {
        guard let semicolon = value.utf8.firstIndex(of: 0x3B), semicolon != value.startIndex else { return }
        let type = value[..<semicolon]
        guard type.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2B && $0 != 0x3D }) else { return }
        append(" ORCPT=")
        append(contentsOf: type.utf8)
        append(0x3B)
        let address = value[value.index(after: semicolon)...]
        if type.lowercased() == "utf-8" {
            appendUnitext(address, keepsUTF8: keepsUTF8)
        } else {
            appendXText(address)
        }
    }

    /// utf-8-addr-unitext, or utf-8-addr-xtext for a peer without SMTPUTF8 (RFC 6533 §3).
    private mutating func appendUnitext(_ text: Substring, keepsUTF8: Bool) {
        for scalar in text.unicodeScalars {
            let isPlain =
                scalar.value > 0x20 && scalar.value < 0x7F && !"\\+=".unicodeScalars.contains(scalar)
            if isPlain || keepsUTF8 && scalar.value >= 0xA0 {
                append(contentsOf: String(scalar).utf8)
            } else {
                append("\\x{")
                let digits = String(scalar.value, radix: 16, uppercase: true)
                if digits.utf8.count < 2 { append(0x30) }
                append(contentsOf: digits.utf8)
                append(0x7D)
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
