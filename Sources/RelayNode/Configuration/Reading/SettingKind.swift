/// How the text of one setting becomes a value.
struct SettingKind<Value> {
    /// What was expected, as it stands behind "expected": `a duration such as 30s`.
    let expectation: String
    let parse: (String) -> Value?

    init(_ expectation: String, _ parse: @escaping (String) -> Value?) {
        self.expectation = expectation
        self.parse = parse
    }

    /// The same, where only some values will do; `expectation` says which.
    func limited(_ expectation: String, to isAllowed: @escaping (Value) -> Bool) -> SettingKind {
        SettingKind(expectation) { text in parse(text).flatMap { isAllowed($0) ? $0 : nil } }
    }

    func map<Other>(_ transform: @escaping (Value) -> Other?) -> SettingKind<Other> {
        SettingKind<Other>(expectation) { parse($0).flatMap(transform) }
    }

    /// The value, or a word that stands for none.
    func or(_ word: String) -> SettingKind<Value?> {
        SettingKind<Value?>("\(expectation), or `\(word)`") { text in
            text == word ? .some(nil) : parse(text).map(Optional.some)
        }
    }
}

extension SettingKind where Value == String {
    static var text: SettingKind {
        SettingKind("text") { text in
            text.isEmpty || text.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? nil : text
        }
    }
}

extension SettingKind where Value == Bool {
    static var flag: SettingKind {
        SettingKind("`true` or `false`") {
            ["true": true, "yes": true, "on": true, "false": false, "no": false, "off": false][$0]
        }
    }
}

extension SettingKind where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> SettingKind {
        SettingKind("a number from \(range.lowerBound) to \(range.upperBound)") { text in
            guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5F }),
                let number = Int(text.filter { $0 != "_" })
            else { return nil }
            return range.contains(number) ? number : nil
        }
    }

    /// Octets. The unit is never left out, because people differ on what a bare number means.
    static func size(_ range: ClosedRange<Int>) -> SettingKind {
        let expectation =
            "a size from \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound)), such as 64KiB or 50MiB"
        return SettingKind(expectation) { text in
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let unit = text.dropFirst(digits.count).drop { $0 == " " }
            guard let number = Int(digits), let factor = sizeUnits.first(where: { $0.name == unit })?.octets
            else { return nil }
            let (octets, isTooLarge) = number.multipliedReportingOverflow(by: factor)
            return !isTooLarge && range.contains(octets) ? octets : nil
        }
    }
}

private let sizeUnits: [(name: String, octets: Int)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
]

/// In the largest unit that divides it.
func sizeText(_ octets: Int) -> String {
    let unit = sizeUnits.first { octets != 0 && octets % $0.octets == 0 } ?? ("B", 1)
    return "\(octets / unit.octets)\(unit.name)"
}

extension SettingKind where Value == Double {
    static func share(_ range: ClosedRange<Double>) -> SettingKind {
        SettingKind("a share from \(range.lowerBound) to \(range.upperBound)") { text in
            Double(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension SettingKind where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> SettingKind {
        let expectation =
            "a duration from \(durationText(range.lowerBound)) to \(durationText(range.upperBound)), such as 1h30m"
        return SettingKind(expectation) { text in duration(text).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// Numbers with units, the largest first: `1h30m`.
    private static func duration(_ text: String) -> Duration? {
        var rest = text[...]
        var sum: Duration = .zero
        var smallest: Duration?
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int64(digits), number <= 1_000_000_000 else { return nil }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isLetter }
            guard let unit = durationUnits.first(where: { $0.name == letters })?.length,
                unit < smallest ?? .seconds(1 << 40)
            else { return nil }
            sum += unit * Int(number)
            smallest = unit
            rest = rest.dropFirst(letters.count)
        } while !rest.isEmpty
        return sum
    }
}

private let durationUnits: [(name: String, length: Duration)] = [
    ("d", .seconds(86_400)), ("h", .seconds(3600)), ("m", .seconds(60)), ("s", .seconds(1)),
    ("ms", .milliseconds(1)),
]

func durationText(_ duration: Duration) -> String {
    guard duration != .zero else { return "0s" }
    let unit =
        durationUnits.first { duration / $0.length == (duration / $0.length).rounded() } ?? ("s", .seconds(1))
    return "\(Int(duration / unit.length))\(unit.name)"
}

extension SettingKind where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    static var choice: SettingKind {
        let words = Value.allCases.map { "`\($0.rawValue)`" }
        let expectation = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        return SettingKind(expectation) { Value(rawValue: $0) }
    }
}

extension SettingKind {
    /// One of some words.
    static func words(_ words: KeyValuePairs<String, Value>) -> SettingKind {
        let names = words.map { "`\($0.key)`" }
        return SettingKind(names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")) { text in
            words.first { $0.key == text }?.value
        }
    }
}
