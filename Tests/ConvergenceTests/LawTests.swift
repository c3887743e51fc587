import Convergence
import MailValues
import Testing

@Suite("Laws")
struct LawTests {
    /// Three origins' statements about few keys, deletions and new incarnations among them.
    private func statements(seed: UInt64) -> [TravellingFact] {
        var random = SeededRandom(seed: seed)
        var facts: [TravellingFact] = []
        for origin in UInt8(1)...3 {
            for incarnation in UInt64(1)...UInt64.random(in: 1...2, using: &random) {
                for counter in UInt64(1)...12 {
                    let batch = SignedBatch(
                        origin: ReplicaTests.id(origin), incarnation: incarnation, last: counter, count: 1,
                        root: [], signature: [])
                    let isDeletion = Int.random(in: 0..<4, using: &random) == 0
                    facts.append(
                        TravellingFact(
                            record: FactRecord(
                                key: FactKey(SmallWorld.stable, [UInt8.random(in: 0..<6, using: &random)]),
                                counter: counter, value: isDeletion ? nil : [UInt8(counter)], lifetime: nil,
                                stamp: Timestamp(milliseconds: 0), seal: Seal(batch: batch, path: [])),
                            age: 0))
                }
            }
        }
        return facts
    }

    private func contents(_ groups: [[TravellingFact]]) -> [NodeID: [FactKey: FactRecord]] {
        var replica = Replica(node: ReplicaTests.id(9), incarnation: 1, table: SmallWorld.table)
        var changes: [FactChange] = []
        replica.setMembers(Set((1...3).map(ReplicaTests.id)), into: &changes)
        for group in groups { _ = replica.apply(pushed: group, now: .start, into: &changes) }
        return Dictionary(
            uniqueKeysWithValues: (UInt8(1)...3).map { origin in
                let said = replica.statements(by: ReplicaTests.id(origin), now: .start)
                return (ReplicaTests.id(origin), Dictionary(uniqueKeysWithValues: said.map { ($0.key, $0) }))
            })
    }

    @Test("statements come to the same in any order, in any groups, and however often", arguments: 1...50)
    func merging(_ seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let facts = statements(seed: UInt64(seed))
        let truth = contents([facts])
        for _ in 0..<5 {
            let shuffled = facts.shuffled(using: &random)
            #expect(contents([shuffled]) == truth)
            #expect(contents([shuffled, facts, shuffled.reversed()]) == truth)
            let cut = Int.random(in: 0..<facts.count, using: &random)
            #expect(contents([Array(shuffled[cut...]), Array(shuffled[..<cut])]) == truth)
        }
    }

    @Test("no origin adds more than a third to a capped sum once three report, whatever it says")
    func cappedSum() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<2_000 {
            let count = Int.random(in: 3...9, using: &random)
            var counts = (0..<count).map { _ in Float.random(in: 0...1000, using: &random) }
            counts[0] = [0, 1, 1e6, 1e30].randomElement(using: &random) ?? 0
            let sum = Merge.cappedSum(counts)
            #expect(Merge.cappedSum(counts.shuffled(using: &random)) == sum)
            for index in counts.indices where count > 3 || sum > 0 {
                var others = counts
                others.remove(at: index)
                let without = Merge.cappedSum(others)
                #expect(sum - without <= sum / 3 * 1.001, "\(counts) without \(index)")
            }
        }
    }

    @Test(
        "a capped sum believes what is seen by several",
        arguments: [
            ([], 0), ([5], 5), ([5, 7], 12), ([10, 10, 10], 30), ([1e30, 10, 10], 30),
            ([100, 100, 1], 151.5),
            ([1e6, 1e6, 1, 1], 4.5), ([4, 4, 4, 4], 16),
        ] as [([Float], Float)])
    func cappedSums(_ counts: [Float], _ sum: Float) {
        #expect(Merge.cappedSum(counts) == sum)
    }

    @Test("a majority is more than half; the highest number wins; two nodes are two witnesses")
    func others() {
        #expect(Merge.majority([1, 2, 1]) == 1)
        #expect(Merge.majority([1, 2]) == nil)
        #expect(Merge.majority([Int]()) == nil)
        #expect(Merge.earliest([3, 1, 2]) == 1)
        let values: [(UInt64, [UInt8])] = [(1, [9]), (2, [1]), (2, [2])]
        for order in [values, values.reversed()] {
            #expect(Merge.highest(order, number: { $0.0 }, octets: { $0.1 })?.1 == [2])
        }
        let (one, two) = (ReplicaTests.id(1), ReplicaTests.id(2))
        #expect(!Merge.isWitnessed(by: []) && !Merge.isWitnessed(by: [one, one]))
        #expect(Merge.isWitnessed(by: [one, two]))
    }
}

@Suite("Stamps")
struct StampClockTests {
    private static let day: Int64 = 86_400_000
    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test(
        "a stamp up to 5 s ahead counts and is answered later; one further ahead is cut and forgotten",
        arguments: [
            (1_000, 1_000, 10_000), (14_999, 14_999, 15_000), (15_000, 15_000, 15_001),
            (15_001, 10_000, 10_000), (10_000 + day, 10_000, 10_000),
        ] as [(Int64, Int64, Int64)])
    func admits(_ stamp: Int64, _ admitted: Int64, _ next: Int64) {
        var clock = StampClock()
        #expect(clock.admit(time(stamp), now: time(10_000)) == time(admitted))
        #expect(clock.next(now: time(10_000)) == time(next))
    }

    @Test("our stamps rise although our clock goes back")
    func rises() {
        var clock = StampClock()
        let first = clock.next(now: time(10_000))
        #expect(clock.next(now: time(9_000)) > first)
    }

    /// The newest reading of three nodes, one of which lives in tomorrow; it is wrong, and was made first.
    private func newest(cutting: Bool) -> String? {
        var clock = StampClock()
        let now = time(10_000)
        let readings = [("wrong", time(1_000 + Self.day)), ("old", time(5_000)), ("new", time(9_000))]
        return readings.enumerated().map { index, reading in
            // The wrong one came when our clock showed 1,000.
            let seen = index == 0 ? time(1_000) : now
            return (reading.0, cutting ? clock.admit(reading.1, now: seen) : reading.1)
        }.max { $0.1 < $1.1 }?.0
    }

    @Test("without the cut one fast clock wins every newest until tomorrow")
    func twin() {
        #expect(newest(cutting: true) == "new")
        #expect(newest(cutting: false) == "wrong")
    }
}
