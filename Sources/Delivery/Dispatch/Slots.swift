/// Values under small numbers that are used again: sites and workers, named from queues without being owned
/// by them.
struct Slots<Value: Sendable>: Sendable {
    /// Not an `Optional`: looking into one copies all of it.
    private struct Place: Sendable {
        var value: Value
        var isUsed: Bool
    }

    private var values: [Place] = []
    private var free: [Int] = []
    private(set) var count = 0

    subscript(number: Int) -> Value {
        _read {
            precondition(values[number].isUsed, "the number is in use")
            yield values[number].value
        }
        _modify {
            precondition(values[number].isUsed, "the number is in use")
            yield &values[number].value
        }
    }

    mutating func insert(_ value: Value) -> Int {
        count += 1
        if let number = free.popLast() {
            values[number] = Place(value: value, isUsed: true)
            return number
        }
        values.append(Place(value: value, isUsed: true))
        return values.count - 1
    }

    /// - Parameter rest: stands in its place until the number is used again, and holds nothing dear.
    mutating func remove(_ number: Int, leaving rest: Value) {
        precondition(values[number].isUsed, "removed once")
        values[number] = Place(value: rest, isUsed: false)
        free.append(number)
        count -= 1
    }

    /// All numbers there are, those that are not in use among them: ask `holds`. (A sequence of those in use
    /// would hold the values, and the first change in a loop over it would copy them all.)
    var places: Range<Int> { 0..<values.count }

    func holds(_ number: Int) -> Bool { values[number].isUsed }
}
