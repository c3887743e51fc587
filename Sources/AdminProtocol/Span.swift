/// A length of time as people write it on a command line: `90s`, `15m`, `4h`, `2d`, `1w`, or seconds alone.
package struct Span: Hashable, Sendable, LosslessStringConvertible {
    package var seconds: Int

    package init(seconds: Int) { self.seconds = seconds }

    private static let units: [(letter: Character, seconds: Int)] = [
        ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
    ]
    /// A hundred years: enough for mail, and no sum overflows.
    private static let longest = 100 * 365 * 86_400

    package init?(_ description: String) {
        var digits = description[...]
        var factor = 1
        if let last = digits.last, let unit = Self.units.first(where: { $0.letter == last }) {
            factor = unit.seconds
            digits = digits.dropLast()
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(digits),
            number <= Self.longest / factor
        else { return nil }
        seconds = number * factor
    }

    /// In the largest unit that divides it: `2h`, `90s`.
    package var description: String {
        let unit = Self.units.first { seconds != 0 && seconds % $0.seconds == 0 } ?? ("s", 1)
        return "\(seconds / unit.seconds)\(unit.letter)"
    }
}
