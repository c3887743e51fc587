/// The fields that a relay looks at, told apart while the header is read.
package enum HeaderFieldName: UInt8, Sendable {
    case other
    case authenticationResults, bcc, contentType, date, from, messageID, received, resentBcc, returnPath,
        sender

    /// Names are compared without regard to case (RFC 5322 §1.2.2).
    init(_ octets: UnsafeBufferPointer<UInt8>) {
        // Most fields of a message are told apart by length and first letter alone.
        let candidate: HeaderFieldName
        switch (octets.count, octets.isEmpty ? 0 : octets[0] | 0x20) {
        case (3, 0x62): candidate = .bcc
        case (4, 0x64): candidate = .date
        case (4, 0x66): candidate = .from
        case (6, 0x73): candidate = .sender
        case (8, 0x72): candidate = .received
        case (10, 0x6D): candidate = .messageID
        case (10, 0x72): candidate = .resentBcc
        case (11, 0x72): candidate = .returnPath
        case (12, 0x63): candidate = .contentType
        case (22, 0x61): candidate = .authenticationResults
        default:
            self = .other
            return
        }
        self = octets.equalsIgnoringCase(candidate.lowerCase) ? candidate : .other
    }

    private var lowerCase: StaticString {
        switch self {
        case .other: ""
        case .authenticationResults: "authentication-results"
        case .bcc: "bcc"
        case .contentType: "content-type"
        case .date: "date"
        case .from: "from"
        case .messageID: "message-id"
        case .received: "received"
        case .resentBcc: "resent-bcc"
        case .returnPath: "return-path"
        case .sender: "sender"
        }
    }
}

/// Where one header field stands in the octets that were scanned.
package struct HeaderField: Sendable, Equatable {
    /// First octet of the name.
    package let start: UInt32
    /// Behind the last octet of the name; white space before the colon is no part of it (RFC 5322 §4.5.8).
    package let nameEnd: UInt32
    /// Behind the colon.
    package let valueStart: UInt32
    /// Behind the line end of the field's last line: where the next field begins.
    package internal(set) var end: UInt32
    package let name: HeaderFieldName
    /// It has more than one line (RFC 5322 §2.2.3).
    package internal(set) var isFolded: Bool

    /// The field with its name and its line ends.
    package var octets: Range<Int> { Int(start)..<Int(end) }
    package var nameOctets: Range<Int> { Int(start)..<Int(nameEnd) }
    /// Everything behind the colon, the last line end included.
    package var valueOctets: Range<Int> { Int(valueStart)..<Int(end) }
}

extension UnsafeBufferPointer<UInt8> {
    /// `lowerCase` holds no upper-case letter.
    func equalsIgnoringCase(_ lowerCase: StaticString) -> Bool {
        guard count == lowerCase.utf8CodeUnitCount else { return false }
        return lowerCase.withUTF8Buffer { other in
            for index in 0..<count where self[index].loweredASCII != other[index] { return false }
            return true
        }
    }
}

extension UInt8 {
    @inlinable
    package var loweredASCII: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
    @inlinable
    package var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension Sequence<UInt8> {
    package func equalsIgnoringCase(_ other: some Sequence<UInt8>) -> Bool {
        elementsEqual(other) { $0.loweredASCII == $1.loweredASCII }
    }
}
