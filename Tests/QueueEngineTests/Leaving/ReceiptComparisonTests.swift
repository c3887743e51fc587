import MailValues
import Testing

@testable import QueueEngine

@Suite("Two sets of receipts are compared by ranges") struct ReceiptComparisonTests {
    private static func receipt(_ number: Int, epoch: UInt64 = 1) -> Receipt {
        var random = SeededRandom(UInt64(number))
        return Receipt(QueueID(high: random.next(), low: random.next()), epoch: epoch)
    }

    /// What of ours is missing there, and by how many questions that was found out.
    private static func compare(
        _ ours: [Receipt], _ theirs: [Receipt], limits: LeavingLimits = LeavingLimits()
    ) -> (missing: Set<Receipt>, questions: Int) {
        var comparison = ReceiptComparison(ours)
        let table = ReceiptTable(theirs)
        var questions = 0
        while !comparison.isOver {
            let ranges = comparison.question(limits: limits)
            #expect(ranges.count <= limits.rangesPerProbe)
            questions += 1
            let answers = ranges.map { table.answer($0, listing: limits.listedReceipts) }
            let isTaken = comparison.take(answers, to: comparison.number, limits: limits)
            #expect(isTaken)
        }
        return (Set(comparison.missing), questions)
    }

    @Test("one question tells that a hundred thousand are all there")
    func findsEqual() {
        let all = (0..<100_000).map { Self.receipt($0) }
        let found = Self.compare(all, all.reversed())
        #expect(found.missing.isEmpty)
        #expect(found.questions == 1)
    }

    @Test("what is missing is found, whatever else is there", arguments: 0..<60)
    func findsMissing(_ seed: Int) {
        var random = SeededRandom(UInt64(seed))
        let ours = (0..<Int.random(in: 0...3_000, using: &random)).map { Self.receipt($0) }
        let share = [0, 0.001, 0.1, 0.9, 1][seed % 5]
        let missing = ours.filter { _ in random.chance(share) }
        let others = (0..<Int.random(in: 0...500, using: &random)).map { Self.receipt(10_000 + $0) }
        // The same messages in a former leaving are no answer.
        let former = missing.prefix(20).map { Receipt($0.id, epoch: 0) }
        let theirs = Set(ours).subtracting(missing).union(others).union(former)
        #expect(Self.compare(ours, Array(theirs)).missing == Set(missing))
    }

    @Test("few differences among many cost few questions")
    func isFrugal() {
        let all = (0..<100_000).map { Self.receipt($0) }
        let gone = Set((0..<10).map { Self.receipt($0 * 9_973) })
        let found = Self.compare(all, all.filter { !gone.contains($0) })
        #expect(found.missing == gone)
        #expect(found.questions <= 6)
    }

    @Test("whatever is answered, a comparison ends, and asks for nothing twice but what differs")
    func survivesNonsense() {
        for seed in 0..<200 {
            var random = SeededRandom(UInt64(seed))
            var comparison = ReceiptComparison((0..<300).map { Self.receipt($0) })
            var questions = 0
            while !comparison.isOver, questions < 2_000 {
                let ranges = comparison.question(limits: LeavingLimits())
                questions += 1
                let answers = ranges.map { _ in
                    random.chance(0.7)
                        ? RangeAnswer.differs
                        : random.chance(0.5) ? .same : .receipts([Self.receipt(Int(random.next() % 400))])
                }
                let wrong = comparison.take(
                    Array(answers.dropLast()), to: comparison.number, limits: LeavingLimits())
                #expect(!wrong)
                _ = comparison.take(answers, to: comparison.number, limits: LeavingLimits())
            }
            #expect(comparison.isOver)
        }
    }
}
