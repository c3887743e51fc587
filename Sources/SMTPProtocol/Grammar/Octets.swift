/// A piece of what the peer sent, borrowed for the length of one call: never stored.
package typealias Octets = UnsafeRawBufferPointer

extension UnsafeRawBufferPointer {
    @inline(__always)
    func part(_ range: Range<Int>) -> Octets { Octets(rebasing: self[range]) }

    @inline(__always)
    func part(from start: Int) -> Octets { part(start..<count) }

    /// Letters of ASCII compare without regard to case; `text` is in upper case.
    func isKeyword(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return hasKeywordPrefix(text)
    }

    /// `text` is in upper case.
    func hasKeywordPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where self[index].upperCased != text.utf8Start[index] {
            return false
        }
        return true
    }

    /// Digits only, at most `UInt64.max`; nil for anything else, the empty text among it.
    var decimal: UInt64? {
        guard !isEmpty else { return nil }
        var value: UInt64 = 0
        for octet in self {
            guard octet.isDigit else { return nil }
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(octet - 0x30))
            guard !over, !carry else { return nil }
            value = sum
        }
        return value
    }

    var isASCII: Bool { allSatisfy { $0 < 0x80 } }

    /// Some octet below space, or DEL.
    var hasControl: Bool { contains { $0 < 0x20 || $0 == 0x7F } }

    /// The text, if it is UTF-8 without control characters, C1 and the separators of lines and paragraphs
    /// among them.
    var cleanText: String? {
        guard let text = String(validating: self, as: UTF8.self) else { return nil }
        return text.hasControl ? nil : text
    }
}

extension String {
    /// Some character that ends a line or moves a cursor somewhere.
    var hasControl: Bool {
        unicodeScalars.contains {
            $0.value < 0x20 || 0x7F..<0xA0 ~= $0.value || $0.value == 0x2028 || $0.value == 0x2029
        }
    }
}

extension UInt8 {
    @inline(__always) var upperCased: UInt8 { self &- 0x61 < 26 ? self & 0xDF : self }
    @inline(__always) var isDigit: Bool { self &- 0x30 < 10 }
    @inline(__always) var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    @inline(__always) var isLetterOrDigit: Bool { isDigit || isLetter }

    var hexadecimalValue: UInt8? {
        if isDigit { return self - 0x30 }
        let lower = self | 0x20
        return lower &- 0x61 < 6 ? lower - 0x61 + 10 : nil
    }
}
