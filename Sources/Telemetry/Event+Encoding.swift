extension Event {
    /// The event as one line of JSON, without an end of line: `{"at":"…","kind":"delivery","id":"…",…}`.
    ///
    /// Fields stand in the order in which they were added. Text is a `String` and so valid UTF-8 already:
    /// whoever makes one from a stranger's octets by `String(decoding:as:)` has U+FFFD wherever they were
    /// not.
    package func encoded() -> [UInt8] {
        let plain = plainOctets
        let line = encoded(plainOctets: plain, escapeRoom: Self.usualEscapeRoom)
        return line ?? encoded(plainOctets: plain, escapeRoom: plain * (JSONWriter.longestEscape - 1)) ?? []
    }

    /// Appends what `encoded()` returns.
    package func encoded(into line: inout [UInt8]) { line.append(contentsOf: encoded()) }

    /// Enough for a dozen quotation marks; a line that needs more is written a second time into the most it
    /// can take.
    private static let usualEscapeRoom = 64
    /// Octets of everything but the fields: time, the longest kind, id, their names and punctuation.
    private static let fixedOctets = 112

    /// What the line takes if nothing must be escaped. Exact but for numbers, so that one allocation of the
    /// right size does.
    private var plainOctets: Int {
        var bound = Self.fixedOctets
        for field in fields {
            bound += field.name.utf8CodeUnitCount + 4
            switch field.value {
            case .text(let text): bound += text.utf8.count + 2
            case .number: bound += 20
            case .flag: bound += 5
            case .list(let texts): bound += texts.reduce(2) { $0 + $1.utf8.count + 3 }
            }
        }
        return bound
    }

    private func encoded(plainOctets: Int, escapeRoom: Int) -> [UInt8]? {
        var hasOverflowed = false
        let line = [UInt8](unsafeUninitializedCapacity: plainOctets + escapeRoom) { buffer, count in
            var writer = JSONWriter(buffer, escapeRoom: escapeRoom)
            write(to: &writer)
            hasOverflowed = writer.hasOverflowed
            count = writer.count
        }
        return hasOverflowed ? nil : line
    }

    private func write(to writer: inout JSONWriter) {
        writer.raw("{\"at\":\"")
        writer.put(at)
        writer.raw("\",\"kind\":")
        writer.quoted(kind.rawValue)
        if let message {
            writer.raw(",\"id\":\"")
            writer.put(message)
            writer.raw("\"")
        }
        for field in fields {
            writer.raw(",\"")
            writer.raw(field.name)
            writer.raw("\":")
            switch field.value {
            case .text(let text): writer.quoted(text)
            case .number(let number): writer.put(number)
            case .flag(let flag): writer.raw(flag ? "true" : "false")
            case .list(let texts):
                writer.raw("[")
                for (index, text) in texts.enumerated() {
                    if index > 0 { writer.raw(",") }
                    writer.quoted(text)
                }
                writer.raw("]")
            }
        }
        writer.raw("}")
    }
}
