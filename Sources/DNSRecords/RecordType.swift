/// Types of records that a relay asks for, by their numbers.
package enum RecordType: UInt16, Sendable, Hashable, CaseIterable {
    case a = 1
    case cname = 5
    case ptr = 12
    case mx = 15
    case txt = 16
    case aaaa = 28
    case tlsa = 52
}

/// A TLSA record (RFC 6698 §2.1).
package struct TLSARecord: Sendable, Hashable {
    package var usage: UInt8
    package var selector: UInt8
    package var matchingType: UInt8
    package var association: [UInt8]

    package init(usage: UInt8, selector: UInt8, matchingType: UInt8, association: [UInt8]) {
        self.usage = usage
        self.selector = selector
        self.matchingType = matchingType
        self.association = association
    }
}
