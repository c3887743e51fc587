/// The words of one kind in order of their ids, so that any range of ids is found and summed at once.
struct WordShelf: Sendable {
    private let ids: [UInt64]
    private let words: [Word]
    /// The sum of all ids before each place, and behind the last that of all.
    private let sums: [UInt64]

    init(_ held: [(id: UInt64, word: Word)] = []) {
        let sorted = held.sorted { $0.id < $1.id }
        ids = sorted.map(\.id)
        words = sorted.map(\.word)
        var sums: [UInt64] = [0]
        sums.reserveCapacity(ids.count + 1)
        for id in ids { sums.append(sums[sums.count - 1] &+ id) }
        self.sums = sums
    }

    var count: Int { ids.count }
    var sum: UInt64 { sums[ids.count] }

    func sum(of range: ClosedRange<UInt64>) -> UInt64 {
        let places = places(of: range)
        return sums[places.upperBound] &- sums[places.lowerBound]
    }

    func count(of range: ClosedRange<UInt64>) -> Int { places(of: range).count }

    func ids(in range: ClosedRange<UInt64>) -> [UInt64] { Array(ids[places(of: range)]) }

    func words(in range: ClosedRange<UInt64>) -> some Sequence<(id: UInt64, word: Word)> {
        places(of: range).lazy.map { (ids[$0], words[$0]) }
    }

    func contains(_ id: UInt64) -> Bool {
        let place = place(of: id)
        return place < ids.count && ids[place] == id
    }

    private func places(of range: ClosedRange<UInt64>) -> Range<Int> {
        let first = place(of: range.lowerBound)
        let end = range.upperBound == .max ? ids.count : place(of: range.upperBound + 1)
        return first..<max(first, end)
    }

    /// The first place whose id is not below this one.
    private func place(of id: UInt64) -> Int {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
