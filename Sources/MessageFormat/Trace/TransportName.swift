/// The word behind `with` in a trace field (RFC 3848 §1, RFC 6531 §4.3).
package struct TransportName: Sendable, Equatable {
    package let text: StaticString

    package static func == (left: TransportName, right: TransportName) -> Bool {
        left.text.withUTF8Buffer { left in right.text.withUTF8Buffer { left.elementsEqual($0) } }
    }

    /// `isExtended`: EHLO was said. `isUTF8`: MAIL came with SMTPUTF8.
    package init(isExtended: Bool, isTLS: Bool, isAuthenticated: Bool, isUTF8: Bool) {
        switch (isExtended, isUTF8, isTLS, isAuthenticated) {
        case (false, _, _, _): text = "SMTP"
        case (true, false, false, false): text = "ESMTP"
        case (true, false, true, false): text = "ESMTPS"
        case (true, false, false, true): text = "ESMTPA"
        case (true, false, true, true): text = "ESMTPSA"
        case (true, true, false, false): text = "UTF8SMTP"
        case (true, true, true, false): text = "UTF8SMTPS"
        case (true, true, false, true): text = "UTF8SMTPA"
        case (true, true, true, true): text = "UTF8SMTPSA"
        }
    }
}
