import MailValues

/// The part for people: what happened, to whom, why, and what they can do.
extension DeliveryReport {
    func appendTextPart(to octets: inout [UInt8]) {
        var text = ReportText()
        append(to: &text)
        let isASCII = text.octets.allSatisfy { $0 < 0x80 }
        octets.append("\r\n--")
        appendBoundary(to: &octets)
        octets.append("\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset=")
        octets.append(isASCII ? "us-ascii" : "utf-8")
        octets.append("\r\nContent-Transfer-Encoding: ")
        octets.append(isASCII ? "7bit" : isInternationalized ? "8bit" : "quoted-printable")
        octets.append("\r\n\r\n")
        if isASCII || isInternationalized {
            octets += text.octets
        } else {
            octets.append(quotedPrintable: text.octets)
        }
    }

    private func append(to text: inout ReportText) {
        text.paragraph("This is an automatic message from the mail system at \(host).")
        for action in Action.allCases {
            let concerned = recipients.filter { $0.action == action }
            guard !concerned.isEmpty else { continue }
            text.paragraph(Self.opening(of: action, isOne: concerned.count == 1))
            for recipient in concerned.prefix(limits.listedRecipientCount) { append(recipient, to: &text) }
            let hidden = concerned.count - limits.listedRecipientCount
            if hidden > 0 { text.paragraph("and \(hidden) more, listed in the attached report.") }
            text.paragraph(advice(on: action, concerned))
        }
        text.paragraph("About your message:")
        if let subject = shownSubject { text.line("    Subject:  \(subject)") }
        var date: [UInt8] = []
        original.arrivedAt.appendMailDate(to: &date)
        text.line("    Received: \(String(decoding: date, as: UTF8.self))")
        text.line("    Queue ID: \(original.id)")
        text.paragraph("If you need help, write to \(postmaster) and quote the queue ID.")
    }

    private static func opening(of action: Action, isOne: Bool) -> String {
        let whom = isOne ? "this recipient" : "these recipients"
        return switch action {
        case .failed: "Your message could not be delivered to \(whom):"
        case .delayed: "Your message has not been delivered to \(whom) yet:"
        case .delivered: "Your message was delivered to \(whom):"
        case .relayed:
            "Your message was passed on for \(whom), to a mail system that does not report successful delivery:"
        }
    }

    private func append(_ recipient: Recipient, to text: inout ReportText) {
        text.line("")
        text.line("    \(recipient.mailbox)")
        if recipient.action == .failed || recipient.action == .delayed {
            text.indented(
                FailureExplanation.sentence(
                    for: recipient.status, domain: recipient.mailbox.domain.name,
                    isOurWord: recipient.isOurWord))
        }
        guard let reply = recipient.reply else { return }
        let said = reply.description.printable(limit: limits.replyOctets)
        if let host = recipient.remoteHost, !recipient.isOurWord {
            text.indented("\(host.printable(limit: 255)) said: \(said)")
        } else if let host = recipient.remoteHost {
            text.indented("Details, at \(host.printable(limit: 255)): \(said)")
        } else if recipient.action == .failed || recipient.action == .delayed {
            text.indented("Details: \(said)")
        }
    }

    private func advice(on action: Action, _ concerned: [Recipient]) -> String {
        switch action {
        case .failed:
            return "We will not try again. Please correct what is wrong, if you can, and send it again."
        case .delayed:
            guard let until = concerned.compactMap(\.retriedUntil).max() else {
                return "We keep trying. You need not do anything, and need not send it again."
            }
            var date: [UInt8] = []
            until.appendMailDate(to: &date)
            return "We keep trying until \(String(decoding: date, as: UTF8.self)). "
                + "You need not do anything, and need not send it again."
        case .delivered: return "This does not say that it was read."
        case .relayed: return "You will hear from us no more about it."
        }
    }

    /// Only a subject in plain ASCII is shown: an encoded word means nothing to people.
    private var shownSubject: String? {
        guard let first = original.content.first else { return nil }
        let field = HeaderScan(first).fields.first { first[$0.nameOctets].equalsIgnoringCase("subject".utf8) }
        guard let field else { return nil }
        let value = String(decoding: unfolded(first[field.valueOctets]), as: UTF8.self)
        guard !value.isEmpty, !value.contains("=?"), value.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return value.printable(limit: 200)
    }
}

/// Lines of text, wrapped at words.
struct ReportText {
    private static let columns = 74
    private(set) var octets: [UInt8] = []

    mutating func line(_ text: String) {
        octets.append(clean: text)
        octets.append("\r\n")
    }

    mutating func paragraph(_ text: String) {
        if !octets.isEmpty { line("") }
        wrap(text, indent: 0)
    }

    mutating func indented(_ text: String) { wrap(text, indent: 8) }

    private mutating func wrap(_ text: String, indent: Int) {
        var column = 0
        for word in text.split(separator: " ") {
            if column > 0 && column + 1 + word.count > Self.columns {
                octets.append("\r\n")
                column = 0
            }
            octets.append(contentsOf: repeatElement(0x20, count: column == 0 ? indent : 1))
            octets.append(clean: String(word))
            column += (column == 0 ? indent : 1) + word.count
        }
        octets.append("\r\n")
    }
}
