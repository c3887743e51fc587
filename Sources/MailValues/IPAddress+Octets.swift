extension IPAddress {
    /// Appends the text form, without a String on the way.
    package func append(to text: inout [UInt8]) {
        switch self {
        case .v4(let bits):
            for shift: UInt32 in [24, 16, 8, 0] {
                text.appendSmall(UInt8(truncatingIfNeeded: bits >> shift))
                if shift > 0 { text.append(0x2E) }
            }
        case .v6: text.append(contentsOf: description.utf8)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendSmall(_ number: UInt8) {
        if number >= 100 { append(0x30 + number / 100) }
        if number >= 10 { append(0x30 + number / 10 % 10) }
        append(0x30 + number % 10)
    }
}
