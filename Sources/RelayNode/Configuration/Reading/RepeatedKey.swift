/// Where a key stands the second time. Yams says where it stood first, and gives no nodes to look in.
enum RepeatedKey {
    /// Nil where the text is written as nobody writes it: then the first place has to do.
    static func place(of name: String, after first: Place, in text: String) -> Place? {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard (1...lines.count).contains(first.line), first.column > 0 else { return nil }
        let line = Array(lines[first.line - 1].unicodeScalars)
        if line.prefix(first.column - 1).contains("{") { return inBraces(line, name, first) }
        for number in lines.indices.dropFirst(first.line) {
            let indent = lines[number].unicodeScalars.prefix { $0 == " " }.count
            let rest = lines[number].unicodeScalars.dropFirst(indent)
            guard let letter = rest.first, letter != "#" else { continue }
            guard indent >= first.column - 1 else { return nil }  // its section is over
            if indent == first.column - 1, isKey(rest, name) {
                return Place(line: number + 1, column: first.column)
            }
        }
        return nil
    }

    /// `{a: 1, b: {c: 2}, a: 3}`
    private static func inBraces(_ line: [Unicode.Scalar], _ name: String, _ first: Place) -> Place? {
        var depth = 0
        var quote: Unicode.Scalar?
        for index in line.indices.dropFirst(first.column - 1) {
            let letter = line[index]
            if let open = quote {
                if letter == open { quote = nil }
                continue
            }
            switch letter {
            case "\"", "'": quote = letter
            case "{", "[": depth += 1
            case "}", "]": depth -= 1
            case "," where depth == 0:
                let key = line[(index + 1)...].drop { $0 == " " }
                if isKey(key, name) { return Place(line: first.line, column: key.startIndex + 1) }
            default: break
            }
            guard depth >= 0 else { return nil }
        }
        return nil
    }

    /// Whether a text begins with a key, in quotes or without.
    private static func isKey(_ text: some Collection<Unicode.Scalar>, _ name: String) -> Bool {
        [name, "\"\(name)\"", "'\(name)'"].contains { spelling in
            guard text.starts(with: spelling.unicodeScalars) else { return false }
            let rest = text.dropFirst(spelling.unicodeScalars.count).drop { $0 == " " }
            guard rest.first == ":" else { return false }
            return rest.dropFirst().first.map { $0 == " " || $0 == "\t" || $0 == "\r" } ?? true
        }
    }
}
