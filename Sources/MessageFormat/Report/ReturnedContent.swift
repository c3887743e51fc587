import MailValues

/// The third part of a report: the original, or its header (RFC 3461 §6.2, RFC 6533 §4).
struct ReturnedContent {
    let isFull: Bool
    let contentType: StaticString
    let encoding: StaticString
    let pieces: [[UInt8]]

    init(_ report: DeliveryReport) {
        let header = Self.header(of: report.original.content, limit: report.limits.headerReturnOctets)
        let isHeaderASCII = header.allSatisfy { $0 < 0x80 }
        let content = report.original.content
        // Its pieces are used as they are: a report about a message must not need the message's memory again.
        if Self.mayReturnAll(report), isHeaderASCII || report.isInternationalized && isUTF8(header) {
            let isASCII = content.allSatisfy { $0.allSatisfy { $0 < 0x80 } }
            isFull = true
            contentType = isHeaderASCII ? "message/rfc822" : "message/global"
            encoding = isASCII ? "7bit" : "8bit"  // RFC 2046 §5.2.1 allows no others
            pieces = content
            return
        }
        isFull = false
        contentType = isHeaderASCII || !isUTF8(header) ? "text/rfc822-headers" : "message/global-headers"
        if isHeaderASCII, LineLengths.areStandard([header]) {
            encoding = "7bit"
            pieces = [header]
        } else {
            // RFC 6533 §4.5: safe on a way back that may know neither 8BITMIME nor SMTPUTF8.
            encoding = "quoted-printable"
            var encoded: [UInt8] = []
            encoded.append(quotedPrintable: header)
            pieces = [encoded]
        }
    }

    private static func mayReturnAll(_ report: DeliveryReport) -> Bool {
        let original = report.original
        return DeliveryReport.returnsFullContent(
            wantsFullReturn: original.wantsFullReturn, actions: report.recipients.map(\.action),
            sizeOctets: original.sizeOctets, limits: report.limits)
            && original.content.reduce(0) { $0 + $1.count } == original.sizeOctets
            && LineLengths.areStandard(original.content)
    }

    /// The header without its blank line, cut behind a field if it is long.
    private static func header(of content: [[UInt8]], limit: Int) -> [UInt8] {
        var octets: [UInt8] = []
        for piece in content where octets.count < limit { octets += piece.prefix(limit - octets.count) }
        var limits = HeaderLimits()
        limits.sectionOctets = limit
        let scan = HeaderScan(octets, limits: limits)
        let isWhole = scan.ending == .blankLine || content.reduce(0, { $0 + $1.count }) <= octets.count
        let end = isWhole ? scan.fieldsEnd : scan.fields.last.map { Int($0.start) } ?? 0
        return Array(octets[scan.mailboxLineOctets..<max(end, scan.mailboxLineOctets)])
    }
}

private func isUTF8(_ octets: [UInt8]) -> Bool { String(validating: octets, as: UTF8.self) != nil }

enum LineLengths {
    /// Octets of a line without its line end (RFC 5322 §2.1.1).
    static let lineOctets = 998

    static func areStandard(_ pieces: [[UInt8]]) -> Bool {
        var length = 0
        for piece in pieces {
            let isShort = piece.withUnsafeBufferPointer { octets in
                var position = 0
                while position < octets.count {
                    let next = octets.indexAfterLine(from: position, to: octets.count)
                    let hasEnd = octets[next - 1] == 0x0A
                    length += next - position
                    if length > lineOctets + (hasEnd ? 2 : 0) { return false }
                    if hasEnd { length = 0 }
                    position = next
                }
                return true
            }
            guard isShort else { return false }
        }
        return true
    }
}
