package import MailValues

/// A part of the space of ids, and what the asker has there.
package struct IDRange: Sendable, Hashable {
    package var first: QueueID
    package var last: QueueID
    package var summary: RangeSummary

    package init(_ first: QueueID, _ last: QueueID, _ summary: RangeSummary) {
        self.first = first
        self.last = last
        self.summary = summary
    }
}

/// How many receipts a range holds, and a sum over them that differs where they do.
///
/// Both sides trust each other with mail, so the sum guards against accidents alone: 128 bits of well-mixed
/// ids, added, so that a range's sum is the difference of two running ones.
package struct RangeSummary: Sendable, Hashable {
    package var count: UInt64
    package var high: UInt64
    package var low: UInt64

    package static let none = RangeSummary(count: 0, high: 0, low: 0)

    package init(count: UInt64, high: UInt64, low: UInt64) {
        self.count = count
        self.high = high
        self.low = low
    }

    init(_ receipt: Receipt) {
        count = 1
        let seed = mixed(receipt.id.high ^ mixed(receipt.epoch &+ 0x9E37_79B9_7F4A_7C15))
        high = mixed(seed ^ receipt.id.low)
        low = mixed(high &+ receipt.id.low &* 0xD6E8_FEB8_6659_FD93 &+ seed)
    }

    static func &+ (left: RangeSummary, right: RangeSummary) -> RangeSummary {
        RangeSummary(
            count: left.count &+ right.count, high: left.high &+ right.high, low: left.low &+ right.low)
    }

    static func &- (left: RangeSummary, right: RangeSummary) -> RangeSummary {
        RangeSummary(
            count: left.count &- right.count, high: left.high &- right.high, low: left.low &- right.low)
    }
}

/// What the asked one has in a range.
package enum RangeAnswer: Sendable, Equatable {
    case same
    /// Something else, and too much to list: ask again for parts of it.
    case differs
    /// All that there is.
    case receipts([Receipt])
}

/// A set of receipts in order, with running sums: any range is summed up in two searches.
package struct ReceiptTable: Sendable {
    package let receipts: [Receipt]
    private let sums: [RangeSummary]

    package init(_ unsorted: some Sequence<Receipt>) {
        receipts = unsorted.sorted()
        var sums: [RangeSummary] = []
        sums.reserveCapacity(receipts.count + 1)
        var sum = RangeSummary.none
        sums.append(sum)
        for receipt in receipts {
            sum = sum &+ RangeSummary(receipt)
            sums.append(sum)
        }
        self.sums = sums
    }

    package func summary(of places: Range<Int>) -> RangeSummary {
        sums[places.upperBound] &- sums[places.lowerBound]
    }

    /// Where the receipts of a range stand.
    package func places(from first: QueueID, through last: QueueID) -> Range<Int> {
        let start = place { $0.id >= first }
        return start..<max(start, place { $0.id > last })
    }

    /// What is here in a range of which the asker has what it says.
    package func answer(_ range: IDRange, listing limit: Int) -> RangeAnswer {
        let places = places(from: range.first, through: range.last)
        if summary(of: places) == range.summary { return .same }
        if places.count <= limit { return .receipts(Array(receipts[places])) }
        return .differs
    }

    /// The place of the first for which the condition holds; from there on it does.
    private func place(_ isBehind: (Receipt) -> Bool) -> Int {
        var low = 0
        var high = receipts.count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(receipts[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// The last step of SplitMix64 (Steele, Lea, Flood 2014): every bit of the argument reaches every bit of the result.
private func mixed(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
}
