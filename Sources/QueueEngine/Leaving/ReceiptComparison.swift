import MailValues

/// Finds out which of our receipts the other side has, by ever smaller ranges: equal sets cost one question,
/// few differences a few.
///
/// Only one question is under way at a time, and each is bounded; so is each answer, since the asked one lists at
/// most `LeavingLimits.listedReceipts` for a range.
struct ReceiptComparison: Sendable {
    private let table: ReceiptTable
    /// Ranges yet to be asked about, as places in the table and the ids between which they lie.
    private var open: [Part]
    private var asked: [Part] = []
    /// Pairs answers with questions.
    private(set) var number: UInt32 = 0
    /// Ours that the other side has not got.
    private(set) var missing: [Receipt] = []

    private struct Part {
        var places: Range<Int>
        var first: QueueID
        var last: QueueID
    }

    init(_ receipts: some Sequence<Receipt>) {
        table = ReceiptTable(receipts)
        open = []
        if let first = table.receipts.first, let last = table.receipts.last {
            open = [Part(places: 0..<table.receipts.count, first: first.id, last: last.id)]
        }
    }

    var isOver: Bool { open.isEmpty && asked.isEmpty }

    /// The next question, or the last one again, if it was not answered.
    mutating func question(limits: LeavingLimits) -> [IDRange] {
        if asked.isEmpty {
            number &+= 1
            asked = Array(open.suffix(limits.rangesPerProbe))
            open.removeLast(asked.count)
        }
        return asked.map { IDRange($0.first, $0.last, table.summary(of: $0.places)) }
    }

    /// Takes the answer to question `number`. False: it is none, and nothing changed.
    mutating func take(_ answers: [RangeAnswer], to number: UInt32, limits: LeavingLimits) -> Bool {
        guard number == self.number, !asked.isEmpty, answers.count == asked.count else { return false }
        for (part, answer) in zip(asked, answers) {
            switch answer {
            case .same: break
            case .receipts(let theirs):
                let theirs = Set(theirs)
                missing += table.receipts[part.places].filter { !theirs.contains($0) }
            case .differs where part.places.count == 1: missing += table.receipts[part.places]
            case .differs: split(part, limits: limits)
            }
        }
        asked = []
        return true
    }

    /// Into parts of equal size. One id is never split: nobody has more than one receipt of it to list.
    private mutating func split(_ part: Part, limits: LeavingLimits) {
        let count = part.places.count
        let step = max(1, (count + limits.rangeFanOut - 1) / limits.rangeFanOut)
        var start = part.places.lowerBound
        while start < part.places.upperBound {
            let end = min(start + step, part.places.upperBound)
            // From our own first id to our own last: what the other side has between two parts is none of ours.
            open.append(
                Part(places: start..<end, first: table.receipts[start].id, last: table.receipts[end - 1].id))
            start = end
        }
    }
}
