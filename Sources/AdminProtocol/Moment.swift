package import MailValues

/// A time in a body: RFC 3339 with an offset, `2026-11-24T15:19:52.123+00:00`.
package struct Moment: Hashable, Comparable, Sendable {
    package var timestamp: Timestamp

    package init(_ timestamp: Timestamp) { self.timestamp = timestamp }

    package static func < (left: Moment, right: Moment) -> Bool { left.timestamp < right.timestamp }
}

extension Moment: LosslessStringConvertible {
    /// RFC 3339 §5.6 has four digits for the year. What lies beyond them is written as the last moment that has: a member's
    /// made-up time must not make a whole answer unreadable.
    package var description: String {
        Timestamp(milliseconds: min(max(timestamp.milliseconds, Self.first), Self.last)).rfc3339
    }

    /// 0000-01-01T00:00:00Z, and the last millisecond of 9999.
    private static let first: Int64 = -62_167_219_200_000
    private static let last: Int64 = 253_402_300_799_999

    /// Any date-time of RFC 3339 §5.6; of a leap second remains the second before. Fractions end at the
    /// millisecond.
    package init?(_ description: String) {
        var rest = Array(description.utf8)[...]
        guard let year = Self.number(&rest, digits: 4), Self.skip(&rest, 0x2D),
            let month = Self.number(&rest, digits: 2), (1...12).contains(month), Self.skip(&rest, 0x2D),
            let day = Self.number(&rest, digits: 2), (1...31).contains(day),
            Self.skip(&rest, 0x54) || Self.skip(&rest, 0x74) || Self.skip(&rest, 0x20),
            let hour = Self.number(&rest, digits: 2), hour < 24, Self.skip(&rest, 0x3A),
            let minute = Self.number(&rest, digits: 2), minute < 60, Self.skip(&rest, 0x3A),
            let second = Self.number(&rest, digits: 2), second <= 60
        else { return nil }
        var millisecond = 0
        if Self.skip(&rest, 0x2E) {
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard !digits.isEmpty else { return nil }
            for index in 0..<3 {
                let digit = index < digits.count ? Int(digits[digits.startIndex + index] - 0x30) : 0
                millisecond = millisecond * 10 + digit
            }
            rest = rest[digits.endIndex...]
        }
        guard let offset = Self.offset(&rest), rest.isEmpty else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
        self.init(Timestamp(milliseconds: Int64(seconds) * 1000 + Int64(millisecond)))
    }

    /// Seconds east of UTC.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int? {
        if skip(&rest, 0x5A) || skip(&rest, 0x7A) { return 0 }
        let isWest = rest.first == 0x2D
        guard skip(&rest, 0x2D) || skip(&rest, 0x2B), let hour = number(&rest, digits: 2), hour < 24,
            skip(&rest, 0x3A), let minute = number(&rest, digits: 2), minute < 60
        else { return nil }
        return (hour * 3600 + minute * 60) * (isWest ? -1 : 1)
    }

    /// Days since 1970-01-01; years are counted from March, so that the leap day is the last.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func skip(_ rest: inout ArraySlice<UInt8>, _ octet: UInt8) -> Bool {
        guard rest.first == octet else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int) -> Int? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}

extension Moment: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Moment(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time of RFC 3339")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
