/// An enhanced status code (RFC 3463 §2).
package struct EnhancedStatus: Hashable, Sendable, CustomStringConvertible {
    /// 2, 4 or 5.
    package let statusClass: UInt8
    package let subject: UInt16
    package let detail: UInt16

    @inlinable
    package init(_ statusClass: UInt8, _ subject: UInt16, _ detail: UInt16) {
        self.statusClass = statusClass
        self.subject = subject
        self.detail = detail
    }

    package var description: String { "\(statusClass).\(subject).\(detail)" }
}

/// An SMTP reply, ours or a peer's (RFC 5321 §4.2).
package struct Reply: Hashable, Sendable {
    /// 200 to 559.
    package let code: UInt16
    /// Absent in 220, 221 to HELO clients, 334, 354 and replies to EHLO (RFC 2034 §4).
    package let enhanced: EnhancedStatus?
    /// The text without code and enhanced status; lines are divided by LF.
    package let text: String

    @inlinable
    package init(_ code: UInt16, _ enhanced: EnhancedStatus? = nil, _ text: String) {
        self.code = code
        self.enhanced = enhanced
        self.text = text
    }

    package enum Severity: Sendable { case positive, intermediate, transient, permanent }

    package var severity: Severity {
        switch code / 100 {
        case 5: .permanent
        case 4: .transient
        case 3: .intermediate
        default: .positive
        }
    }

    package var isPositive: Bool { code / 100 == 2 }
    package var isTransient: Bool { code / 100 == 4 }
    package var isPermanent: Bool { code / 100 == 5 }

    /// Appends the wire form, CRLF at the end of each line; the enhanced status stands on every line (RFC
    /// 2034 §4).
    package func append(to octets: inout [UInt8]) {
        var text = text
        text.withUTF8 { all in
            var rest = all[...]
            while true {
                let end = rest.firstIndex(of: 0x0A)
                octets.appendDecimal(code)
                octets.append(end == nil ? 0x20 : 0x2D)
                if let enhanced {
                    octets.appendDecimal(enhanced.statusClass)
                    octets.append(0x2E)
                    octets.appendDecimal(enhanced.subject)
                    octets.append(0x2E)
                    octets.appendDecimal(enhanced.detail)
                    octets.append(0x20)
                }
                octets.append(contentsOf: rest[..<(end ?? rest.endIndex)])
                octets.append(0x0D)
                octets.append(0x0A)
                guard let end else { return }
                rest = rest[(end + 1)...]
            }
        }
    }
}

extension Reply: CustomStringConvertible {
    /// On one line, as logs and delivery reports show it.
    package var description: String {
        let flat = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " / ")
        return enhanced.map { "\(code) \($0) \(flat)" } ?? "\(code) \(flat)"
    }
}
