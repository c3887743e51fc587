import AdminProtocol
import MailValues

/// Numbers and times as people say them.
enum Wording {
    /// `12s`, `5m`, `3h12m`, `2d4h`; two units at most, because nobody reads a third.
    static func span(seconds: Int64) -> String {
        let seconds = max(0, seconds)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m"
        case ..<86_400: return two(seconds / 3600, "h", seconds % 3600 / 60, "m")
        default: return two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h")
        }
    }

    private static func two(_ first: Int64, _ unit: String, _ second: Int64, _ smaller: String) -> String {
        second == 0 ? "\(first)\(unit)" : "\(first)\(unit)\(second)\(smaller)"
    }

    static func age(of moment: Moment, now: Timestamp) -> String {
        span(seconds: (now - moment.timestamp).wholeMilliseconds / 1000)
    }

    /// `in 5m`, or `due`.
    static func wait(until moment: Moment?, now: Timestamp) -> String {
        guard let moment else { return "-" }
        let left = (moment.timestamp - now).wholeMilliseconds
        return left <= 0 ? "due" : "in \(span(seconds: (left + 999) / 1000))"
    }

    /// `21,004`
    static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    /// `4.0 KiB`
    static func octets(_ number: Int) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard number >= 1024 else { return "\(number) B" }
        // A member may say any number of itself: no product of it is made.
        var tenths = number / 1024 * 10 + number % 1024 * 10 / 1024
        for unit in units {
            if tenths < 10_240 || unit == units.last { return "\(tenths / 10).\(tenths % 10) \(unit)" }
            tenths /= 1024
        }
        return "\(number) B"
    }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    static func sender(_ address: String) -> String { address.isEmpty ? "<>" : address }
}
