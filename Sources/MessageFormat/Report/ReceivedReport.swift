package import MailValues

/// A delivery status notification that somebody sent (RFC 3464), as far as it can be read.
///
/// Whatever stands in it was written by a stranger: it tells what may have happened, and proves nothing.
package struct ReceivedReport: Sendable, Equatable {
    package struct Recipient: Sendable, Equatable {
        /// With its type: `rfc822; user@example.org`.
        package var finalRecipient: String?
        package var originalRecipient: String?
        /// In lower case: `failed`, `delayed`, `delivered`, `relayed`, `expanded`.
        package var action: String?
        package var status: EnhancedStatus?
        package var remoteHost: String?
        package var diagnostic: String?
        package init() {}
    }

    package struct Limits: Sendable {
        /// Octets of the message that are looked at.
        package var octets = 1024 * 1024
        package var recipientCount = 1_000
        package var partCount = 16
        /// Octets of one field's value.
        package var valueOctets = 1_000
        package init() {}
    }

    package private(set) var envelopeID: String?
    package private(set) var reportingHost: String?
    package private(set) var recipients: [Recipient] = []
    /// Message-ID of the message that the report is about, from the part that returns it.
    package private(set) var originalMessageID: String?

    private let limits: Limits

    package static func == (left: Self, right: Self) -> Bool {
        left.envelopeID == right.envelopeID && left.reportingHost == right.reportingHost
            && left.recipients == right.recipients && left.originalMessageID == right.originalMessageID
    }

    /// nil if the message is no `multipart/report` of the kind delivery-status, or names no recipient.
    package init?(_ content: [[UInt8]], limits: Limits = Limits()) {
        self.limits = limits
        var octets: [UInt8] = []
        for piece in content where octets.count < limits.octets {
            octets += piece.prefix(limits.octets - octets.count)
        }
        let scan = HeaderScan(octets)
        guard let type = Self.contentType(scan, octets), type.name == "multipart/report",
            type.parameters["report-type"]?.lowercased() == "delivery-status",
            // RFC 2046 §5.1.1
            let boundary = type.parameters["boundary"], (1...70).contains(boundary.utf8.count)
        else { return nil }
        let parts = MultipartReader.parts(
            of: octets[scan.sectionEnd...], boundary: boundary, limit: limits.partCount)
        for part in parts { read(part: Array(part)) }
        guard !recipients.isEmpty else { return nil }
    }

    private static func contentType(_ scan: HeaderScan, _ octets: [UInt8]) -> ContentType? {
        scan.fields.first { $0.name == .contentType }.flatMap { ContentType(octets[$0.valueOctets]) }
    }

    private mutating func read(part: [UInt8]) {
        let scan = HeaderScan(part)
        guard let type = Self.contentType(scan, part) else { return }
        let encoding = scan.fields.first {
            part[$0.nameOctets].equalsIgnoringCase("content-transfer-encoding".utf8)
        }
        let isEncoded =
            encoding.map { unfolded(part[$0.valueOctets]).equalsIgnoringCase("quoted-printable".utf8) }
            ?? false
        let body =
            isEncoded ? decodedQuotedPrintable(part[scan.sectionEnd...]) : Array(part[scan.sectionEnd...])
        switch type.name {
        // RFC 6533 §4.4: one is as good as the other.
        case "message/delivery-status", "message/global-delivery-status":
            if recipients.isEmpty { readStatus(body) }
        case "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers":
            if originalMessageID == nil {
                let field = HeaderScan(body).fields.first { $0.name == .messageID }
                originalMessageID = field.map { text(body[$0.valueOctets]) }
            }
        default: break
        }
    }

    /// Groups of fields, divided by blank lines: the message's, then each recipient's.
    private mutating func readStatus(_ body: [UInt8]) {
        var rest = body[...]
        var isFirst = true
        while !rest.isEmpty, recipients.count < limits.recipientCount {
            // No copy: a body of nothing but blank lines has half a million groups.
            let scan = rest.withUnsafeBufferPointer { HeaderScan($0) }
            let group = rest.prefix(scan.sectionEnd)
            if isFirst {
                readMessageFields(scan, group)
            } else if !scan.fields.isEmpty {
                readRecipient(scan, group)
            }
            if !scan.fields.isEmpty { isFirst = false }
            guard scan.ending == .blankLine else { return }
            rest = rest.dropFirst(scan.sectionEnd)
        }
    }

    private mutating func readMessageFields(_ scan: HeaderScan, _ group: ArraySlice<UInt8>) {
        for field in scan.fields {
            switch name(of: field, group) {
            case "original-envelope-id": envelopeID = text(octets(field.valueOctets, of: group))
            case "reporting-mta": reportingHost = behindType(text(octets(field.valueOctets, of: group)))
            default: break
            }
        }
    }

    private mutating func readRecipient(_ scan: HeaderScan, _ group: ArraySlice<UInt8>) {
        var recipient = Recipient()
        for field in scan.fields {
            let value = text(octets(field.valueOctets, of: group))
            switch name(of: field, group) {
            case "final-recipient": recipient.finalRecipient = value
            case "original-recipient": recipient.originalRecipient = value
            case "action": recipient.action = value.lowercased()
            case "status": recipient.status = EnhancedStatus(reportField: value)
            case "remote-mta": recipient.remoteHost = behindType(value)
            case "diagnostic-code": recipient.diagnostic = value
            default: break
            }
        }
        if recipient.finalRecipient != nil || recipient.originalRecipient != nil {
            recipients.append(recipient)
        }
    }

    private func name(of field: HeaderField, _ group: ArraySlice<UInt8>) -> String {
        String(decoding: octets(field.nameOctets, of: group).prefix(32).map(\.loweredASCII), as: UTF8.self)
    }

    /// A range of a scan counts from the beginning of what was scanned.
    private func octets(_ range: Range<Int>, of group: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        group[(group.startIndex + range.lowerBound)..<(group.startIndex + range.upperBound)]
    }

    private func text(_ value: ArraySlice<UInt8>) -> String {
        String(decoding: unfolded(value.prefix(limits.valueOctets)), as: UTF8.self)
    }

    private func behindType(_ value: String) -> String {
        guard let semicolon = value.firstIndex(of: ";") else { return value }
        return String(value[value.index(after: semicolon)...].drop { $0 == " " })
    }
}

extension EnhancedStatus {
    /// Three numbers; a comment may follow (RFC 3464 §2.3.4).
    fileprivate init?(reportField text: String) {
        let parts = text.prefix { $0 != " " && $0 != "(" }.split(
            separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let first = UInt8(parts[0]), [2, 4, 5].contains(first),
            parts.dropFirst().allSatisfy({ (1...3).contains($0.utf8.count) }),
            let second = UInt16(parts[1]), let third = UInt16(parts[2])
        else { return nil }
        self.init(first, second, third)
    }
}
