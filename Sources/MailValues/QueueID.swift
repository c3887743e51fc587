/// The name of one accepted message: 48 bits of milliseconds, then 80 bits that make it unique (a ULID).
///
/// It names no node, sorts by time of acceptance, and stands in `Received`, in the 250 and in every event.
package struct QueueID: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    @inlinable
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// `entropy` supplies the low 80 bits; what stands above them is ignored.
    @inlinable
    package init(at time: Timestamp, entropyHigh: UInt16, entropyLow: UInt64) {
        high = UInt64(truncatingIfNeeded: time.milliseconds) << 16 | UInt64(entropyHigh)
        low = entropyLow
    }

    /// When the message was accepted, to the millisecond.
    package var time: Timestamp { Timestamp(milliseconds: Int64(high >> 16)) }

    @inlinable
    package static func < (left: QueueID, right: QueueID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// The sixteen octets, most significant first: sorts as the id does.
    package var octets: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for index in 0..<8 {
                buffer[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
                buffer[8 + index] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
            }
            count = 16
        }
    }

    package init?(octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, octet) in octets.enumerated() {
            if index < 8 { high = high << 8 | UInt64(octet) } else { low = low << 8 | UInt64(octet) }
        }
        self.init(high: high, low: low)
    }
}

extension QueueID: CustomStringConvertible, LosslessStringConvertible {
    private static let alphabet: [UInt8] = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// The 26 letters of Crockford's base 32 in which people see the id.
    package var text: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 26) { buffer, count in
            var high = high
            var low = low
            for index in stride(from: 25, through: 0, by: -1) {
                buffer[index] = Self.alphabet[Int(low & 31)]
                low = low >> 5 | high << 59
                high >>= 5
            }
            count = 26
        }
    }

    package var description: String { String(decoding: text, as: UTF8.self) }

    package init?(_ description: String) {
        let letters = Array(description.utf8)
        guard letters.count == 26 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, letter) in letters.enumerated() {
            let upper = letter >= 0x61 && letter <= 0x7A ? letter - 0x20 : letter
            guard let value = Self.alphabet.firstIndex(of: upper) else { return nil }
            if index == 0 && value > 7 { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        self.init(high: high, low: low)
    }
}
