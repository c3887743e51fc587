/// The name that was probably meant.
enum NearestName {
    /// The known name with the least edits, if they are few for its length.
    static func of(_ name: String, in known: [String]) -> String? {
        let word = normalized(name)
        let candidates = known.map { (name: $0, distance: distance(word, normalized($0))) }
        guard let best = candidates.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, best.name.count / 3) ? best.name : nil
    }

    /// `maxSize`, `max_size` and `max-size` are the same slip.
    private static func normalized(_ name: String) -> [Character] {
        var result: [Character] = []
        for letter in name.prefix(64) {
            if letter.isUppercase && !result.isEmpty { result.append("-") }
            result.append(letter == "_" ? "-" : Character(letter.lowercased()))
        }
        return result
    }

    /// Insertions, deletions, changes, and exchanges of neighbours.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var earlier: [Int] = []
        var previous = Array(0...right.count)
        for row in 1...left.count {
            var current = [row]
            for column in 1...right.count {
                let change = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1)
                var least = min(previous[column] + 1, current[column - 1] + 1, change)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1]
                {
                    least = min(least, earlier[column - 2] + 1)
                }
                current.append(least)
            }
            (earlier, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
