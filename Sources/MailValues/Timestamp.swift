/// A moment of the wall clock, in milliseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    @inlinable
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    @inlinable
    package init(seconds: Int64) { milliseconds = seconds * 1000 }

    @inlinable
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    package static func + (moment: Timestamp, wait: Duration) -> Timestamp {
        Timestamp(milliseconds: moment.milliseconds + wait.wholeMilliseconds)
    }

    package static func - (moment: Timestamp, wait: Duration) -> Timestamp {
        Timestamp(milliseconds: moment.milliseconds - wait.wholeMilliseconds)
    }

    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .milliseconds(later.milliseconds - earlier.milliseconds)
    }
}

extension Duration {
    @inlinable
    package var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}

/// A moment as a calendar in UTC shows it; computed without tables, so that no library is needed below the
/// shells.
package struct CivilTime: Equatable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    package let millisecond: Int
    /// 0 is Sunday.
    package let weekday: Int

    package init(_ moment: Timestamp) {
        var (seconds, milliseconds) = moment.milliseconds.quotientAndRemainder(dividingBy: 1000)
        if milliseconds < 0 {
            milliseconds += 1000
            seconds -= 1
        }
        var (days, inDay) = seconds.quotientAndRemainder(dividingBy: 86_400)
        if inDay < 0 {
            inDay += 86_400
            days -= 1
        }
        // Days are counted from 0000-03-01, so that the leap day is the last of its year.
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = Int(inDay) / 3600
        minute = Int(inDay) % 3600 / 60
        second = Int(inDay) % 60
        millisecond = Int(milliseconds)
        let day = (Int(days) + 4) % 7
        weekday = day < 0 ? day + 7 : day
    }
}

extension Timestamp {
    /// Appends `2026-11-24T15:19:52.123+00:00` (RFC 3339).
    package func appendRFC3339(to text: inout [UInt8]) {
        let civil = CivilTime(self)
        text.appendDecimal(civil.year, width: 4)
        text.append(0x2D)
        text.appendDecimal(civil.month, width: 2)
        text.append(0x2D)
        text.appendDecimal(civil.day, width: 2)
        text.append(0x54)
        text.appendDecimal(civil.hour, width: 2)
        text.append(0x3A)
        text.appendDecimal(civil.minute, width: 2)
        text.append(0x3A)
        text.appendDecimal(civil.second, width: 2)
        text.append(0x2E)
        text.appendDecimal(civil.millisecond, width: 3)
        text.append(contentsOf: "+00:00".utf8)
    }

    package var rfc3339: String {
        var text: [UInt8] = []
        appendRFC3339(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static let weekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Appends `Tue, 24 Nov 2026 15:19:52 +0000` (RFC 5322 §3.3).
    package func appendMailDate(to text: inout [UInt8]) {
        let civil = CivilTime(self)
        text.append(Self.weekdays[civil.weekday])
        text.append(contentsOf: ", ".utf8)
        text.appendDecimal(civil.day, width: 1)
        text.append(0x20)
        text.append(Self.months[civil.month - 1])
        text.append(0x20)
        text.appendDecimal(civil.year, width: 4)
        text.append(0x20)
        text.appendDecimal(civil.hour, width: 2)
        text.append(0x3A)
        text.appendDecimal(civil.minute, width: 2)
        text.append(0x3A)
        text.appendDecimal(civil.second, width: 2)
        text.append(contentsOf: " +0000".utf8)
    }
}

extension [UInt8] {
    /// Appends a number in decimal, with leading zeros up to `width`.
    package mutating func appendDecimal(_ number: some BinaryInteger, width: Int = 1) {
        var digits: (UInt64, Int) = (UInt64(number.magnitude), 1)
        if number < 0 { append(0x2D) }
        var power: UInt64 = 1
        while digits.0 / power >= 10 {
            power *= 10
            digits.1 += 1
        }
        for _ in 0..<Swift.max(0, width - digits.1) { append(0x30) }
        while power > 0 {
            append(0x30 + UInt8(digits.0 / power % 10))
            power /= 10
        }
    }

    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }
}
