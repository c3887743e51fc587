/// Values under small numbers that are used again: sites and workers, named from queues without being owned by them.
struct Slots<Value: Sendable>: Sendable {
    private var values: [Value?] = []
    private var free: [Int] = []
    private(set) var count = 0

    subscript(number: Int) -> Value {
        _read {
            guard values[number] != nil else { preconditionFailure("number \(number) is in use") }
            yield values[number]!
        }
        _modify {
            guard values[number] != nil else { preconditionFailure("number \(number) is in use") }
            yield &values[number]!
        }
    }

    mutating func insert(_ value: Value) -> Int {
        count += 1
        if let number = free.popLast() {
            values[number] = value
            return number
        }
        values.append(value)
        return values.count - 1
    }

    mutating func remove(_ number: Int) {
        precondition(values[number] != nil, "removed once")
        values[number] = nil
        free.append(number)
        count -= 1
    }

    /// The numbers in use, lowest first.
    var numbers: some Sequence<Int> { values.indices.lazy.filter { values[$0] != nil } }
}
