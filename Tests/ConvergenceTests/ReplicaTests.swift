import Convergence
import MailValues
import Testing

@Suite("Replica")
struct ReplicaTests {
    private static let kind = FactKind(rawValue: 7)
    private static let kept = FactKind(rawValue: 8)
    private static let table = FactTable([
        FactDescription(
            kind: kind, name: "seen", isUrgent: false, lifetimeLongest: .seconds(3600),
            bounds: FactBounds(keys: 32, octets: 4096, subjectOctets: 16, valueOctets: 16)),
        FactDescription(
            kind: kept, name: "kept", isUrgent: true, lifetimeLongest: nil,
            bounds: FactBounds(keys: 2, octets: 4096, overflow: .refuse)),
    ])!

    static func id(_ number: UInt8) -> NodeID { NodeID(octets: [UInt8](repeating: number, count: 32))! }
    private static func key(_ number: UInt8) -> FactKey { FactKey(kind, [number]) }

    private func clocks(_ milliseconds: Int64) -> ClockReading {
        ClockReading(
            uptime: Uptime(milliseconds: milliseconds), wall: Timestamp(milliseconds: milliseconds))
    }

    private func replica(_ number: UInt8, incarnation: UInt64 = 1) -> Replica {
        var replica = Replica(node: Self.id(number), incarnation: incarnation, table: Self.table)
        var changes: [FactChange] = []
        replica.setMembers([Self.id(1), Self.id(2), Self.id(3)], into: &changes)
        return replica
    }

    /// Says a value about each key in turn and closes the batch; what a push of it would carry.
    @discardableResult
    private func say(
        _ keys: [UInt8], at replica: inout Replica, now: Int64 = 0, value: [UInt8] = [1],
        lifetime: Duration? = nil
    ) -> [TravellingFact] {
        var changes: [FactChange] = []
        let now = Uptime(milliseconds: now)
        for key in keys {
            try? replica.say(
                Self.key(key), value, lifetime: lifetime, now: clocks(now.milliseconds),
                into: &changes)
        }
        return seal(&replica, now: now)
    }

    @discardableResult
    private func seal(_ replica: inout Replica, now: Uptime) -> [TravellingFact] {
        guard let unsealed = replica.unsealed(countLongest: 1000) else { return [] }
        let batch = SignedBatch(
            origin: replica.node, incarnation: replica.incarnation, last: unsealed.last,
            count: unsealed.count, root: [], signature: [])
        replica.seal(unsealed, in: batch, paths: unsealed.records.map { _ in [] })
        return unsealed.records.compactMap { replica.own($0.counter, key: $0.key, now: now) }
    }

    private func mark(_ origin: UInt8, at replica: Replica) -> UInt64 {
        replica.log(of: Self.id(origin))?.mark ?? 0
    }

    private func pull(_ replica: inout Replica, from other: Replica, now: Int64 = 0) -> [FactChange] {
        var changes: [FactChange] = []
        let now = Uptime(milliseconds: now)
        for delta in other.deltas(for: replica.digest(), octets: 1 << 20, turn: 0, now: now).deltas {
            _ = replica.apply(delta, now: clocks(now.milliseconds), into: &changes)
        }
        return changes
    }

    private func subjects(_ origin: UInt8, at replica: Replica, now: Int64 = 0) -> [UInt8] {
        replica.statements(by: Self.id(origin), now: Uptime(milliseconds: now)).map { $0.key.subject[0] }
            .sorted()
    }

    @Test("a push is applied and leaves the mark alone; the delta that covers it moves it")
    func pushes() {
        var one = replica(1)
        var two = replica(2)
        let facts = say([1, 2, 3], at: &one)
        var changes: [FactChange] = []
        let learnt = two.apply(pushed: Array(facts.suffix(2)), now: .start, into: &changes)
        #expect(learnt.taken == 2 && subjects(1, at: two) == [2, 3] && mark(1, at: two) == 0)
        #expect(pull(&two, from: one).count == 1, "only what the push did not bring is news")
        #expect(subjects(1, at: two) == [1, 2, 3] && mark(1, at: two) == 3)
    }

    @Test("a delta covers what was superseded, and an older word of a key never replaces a newer one")
    func supersedes() {
        var one = replica(1)
        var two = replica(2)
        let old = say([1], at: &one, value: [1])
        say([1], at: &one, value: [2])
        _ = pull(&two, from: one)
        #expect(mark(1, at: two) == 2)
        var changes: [FactChange] = []
        #expect(two.apply(pushed: old, now: .start, into: &changes).known == 1)
        #expect(changes.isEmpty && two.statements(by: Self.id(1), now: .start).map(\.value) == [[2]])
    }

    @Test("a delta above a hole teaches, but the mark waits for the hole to be filled")
    func holes() throws {
        var one = replica(1)
        var two = replica(2)
        say([1, 2, 3, 4], at: &one)
        var delta = try #require(
            one.deltas(for: two.digest(), octets: 1 << 20, turn: 0, now: .start).deltas.first)
        delta.from = 2
        delta.facts.removeFirst(2)
        var changes: [FactChange] = []
        _ = two.apply(delta, now: .start, into: &changes)
        #expect(subjects(1, at: two) == [3, 4] && mark(1, at: two) == 0)
        _ = pull(&two, from: one)
        #expect(subjects(1, at: two) == [1, 2, 3, 4] && mark(1, at: two) == 4)
    }

    @Test("a delta is cut to its budget from the oldest on, and says how far it goes")
    func budget() throws {
        var one = replica(1)
        var two = replica(2)
        say(Array(1...20), at: &one)
        var rounds = 0
        while mark(1, at: two) < 20 {
            let (deltas, isCut) = one.deltas(for: two.digest(), octets: 500, turn: rounds, now: .start)
            let delta = try #require(deltas.first)
            #expect(delta.from == mark(1, at: two) && delta.facts.last?.record.counter == delta.to)
            #expect(isCut == (delta.to < 20))
            var changes: [FactChange] = []
            _ = two.apply(delta, now: .start, into: &changes)
            rounds += 1
        }
        #expect(rounds > 1 && subjects(1, at: two).count == 20)
    }

    @Test("no delta moves a mark past what the origin itself has signed")
    func liarsRange() throws {
        var one = replica(1)
        var two = replica(2)
        say([1], at: &one)
        var delta = try #require(
            one.deltas(for: two.digest(), octets: 1 << 20, turn: 0, now: .start).deltas.first)
        delta.to = .max
        var changes: [FactChange] = []
        _ = two.apply(delta, now: .start, into: &changes)
        #expect(mark(1, at: two) == 1)
    }

    @Test("a new incarnation replaces all of the last, and the last is refused from then")
    func incarnations() {
        var old = replica(1)
        var two = replica(2)
        let facts = say([1, 2], at: &old)
        _ = pull(&two, from: old)
        var new = replica(1, incarnation: 2)
        say([3], at: &new)
        #expect(pull(&two, from: new).first == .forgotten(Self.id(1)))
        #expect(subjects(1, at: two) == [3] && mark(1, at: two) == 1)
        var changes: [FactChange] = []
        #expect(two.apply(pushed: facts, now: .start, into: &changes).foreign == 2)
        #expect(changes.isEmpty && subjects(1, at: two) == [3])
    }

    @Test("a word of the last incarnation does not pass for one of this, in whatever range it comes")
    func replayedIncarnation() throws {
        var old = replica(1)
        let facts = say([1, 2], at: &old)
        var new = replica(1, incarnation: 2)
        say([3], at: &new)
        var two = replica(2)
        var delta = try #require(
            new.deltas(for: two.digest(), octets: 1 << 20, turn: 0, now: .start).deltas.first)
        delta.facts = [facts[0]] + delta.facts
        var changes: [FactChange] = []
        #expect(two.apply(delta, now: .start, into: &changes).foreign == 1)
        #expect(subjects(1, at: two).isEmpty && mark(1, at: two) == 0)
    }

    @Test("nobody writes in our own log, and who is no member says nothing")
    func strangers() {
        var one = replica(1)
        var clone = replica(1, incarnation: 9)
        let facts = say([1], at: &clone)
        var changes: [FactChange] = []
        #expect(one.apply(pushed: facts, now: .start, into: &changes).foreign == 1)
        var two = replica(2)
        _ = pull(&two, from: clone)
        two.setMembers([Self.id(3)], into: &changes)
        #expect(changes == [.forgotten(Self.id(1))])
        #expect(two.apply(pushed: facts, now: .start, into: &changes).foreign == 1)
        #expect(two.log(of: Self.id(1)) == nil)
    }

    @Test("a statement ends everywhere when its time is over, its way included, without a word")
    func expires() {
        var one = replica(1)
        var two = replica(2)
        var three = replica(3)
        say([1], at: &one, now: 0, lifetime: .seconds(10))
        _ = pull(&two, from: one, now: 4_000)
        _ = pull(&three, from: two, now: 8_000)
        #expect(subjects(1, at: three, now: 9_999) == [1] && subjects(1, at: three, now: 10_000).isEmpty)
        var changes: [FactChange] = []
        three.expire(now: Uptime(milliseconds: 10_000), into: &changes)
        #expect(changes == [.withdrawn(Self.id(1), Self.key(1))] && three.count == 0)
        #expect(mark(1, at: three) == 1)
    }

    @Test(
        "nothing lives longer than its kind does, whatever its origin says",
        arguments: [Duration.seconds(1 << 40), nil])
    func lifetimes(_ said: Duration?) {
        let endless = FactTable([
            FactDescription(
                kind: Self.kind, name: "seen", isUrgent: false, lifetimeLongest: nil,
                bounds: FactBounds(keys: 8, octets: 1024))
        ])!
        var liar = Replica(node: Self.id(3), incarnation: 1, table: endless)
        say([1], at: &liar, lifetime: said)
        var one = replica(1)
        _ = pull(&one, from: liar)
        let hour: Int64 = 3_600_000
        #expect(subjects(3, at: one, now: hour - 1) == [1] && subjects(3, at: one, now: hour).isEmpty)
        var changes: [FactChange] = []
        one.expire(now: Uptime(milliseconds: hour), into: &changes)
        #expect(one.count == 0)
    }

    @Test("a deletion is a version like any other: it travels, and counts against the bound")
    func deletes() {
        var one = replica(1)
        var two = replica(2)
        say([1, 2], at: &one)
        _ = pull(&two, from: one)
        var changes: [FactChange] = []
        one.withdraw(Self.key(1), now: .start, into: &changes)
        seal(&one, now: .start)
        #expect(pull(&two, from: one) == [.withdrawn(Self.id(1), Self.key(1))])
        #expect(subjects(1, at: two) == [2] && two.count == 2 && mark(1, at: two) == 3)
    }

    @Test("who was away while the origin trimmed drops what is below the floor: nothing deleted rises")
    func floors() {
        var one = replica(1)
        var away = replica(2)
        var three = replica(3)
        say([1, 2, 3], at: &one)
        _ = pull(&away, from: one)
        var changes: [FactChange] = []
        one.withdraw(Self.key(1), now: .start, into: &changes)
        for key in 10..<UInt8(60) { say([key], at: &one) }
        let held = subjects(1, at: one)
        #expect(held.count <= 32 && !held.contains(2), "the origin keeps its own bound")
        _ = pull(&three, from: away)
        #expect(subjects(1, at: three) == [1, 2, 3], "one who was away tells a newcomer what it knows")
        _ = pull(&three, from: one)
        _ = pull(&away, from: one)
        #expect(subjects(1, at: three) == held && subjects(1, at: away) == held)
        #expect(pull(&three, from: away).isEmpty)
    }

    @Test(
        "who knows a full kind and misses as much again gets all of it, at once and in steps, from whomever",
        arguments: [1 << 20, 500])
    func missedAsMuchAgain(octets: Int) throws {
        var one = replica(1)
        var relay = replica(2)
        var three = replica(3)
        say(Array(1...32), at: &one)
        _ = pull(&relay, from: one)
        _ = pull(&three, from: one)
        for key in 40..<UInt8(120) { say([key], at: &one) }
        let last = mark(1, at: one)
        var changes: [FactChange] = []
        var (rounds, refused) = (0, 0)
        while mark(1, at: three) < last, rounds < 200 {
            rounds += 1
            for delta in one.deltas(for: relay.digest(), octets: octets, turn: 0, now: .start).deltas {
                refused += relay.apply(delta, now: .start, into: &changes).overBound
            }
            for delta in relay.deltas(for: three.digest(), octets: octets, turn: 0, now: .start).deltas {
                refused += three.apply(delta, now: .start, into: &changes).overBound
            }
        }
        #expect(refused == 0)
        #expect(mark(1, at: relay) == last && mark(1, at: three) == last)
        #expect(subjects(1, at: relay) == subjects(1, at: one))
        #expect(subjects(1, at: three) == subjects(1, at: one))
    }

    @Test("a kind that forgets nothing refuses what is too much; a liar's surplus is not kept")
    func bounds() throws {
        var one = replica(1)
        var changes: [FactChange] = []
        for number in UInt8(1)...2 {
            try one.say(
                FactKey(Self.kept, [number]), [1], lifetime: nil, now: .start, into: &changes)
        }
        #expect(throws: FactWriteError.full) {
            try one.say(FactKey(Self.kept, [3]), [], lifetime: nil, now: .start, into: &changes)
        }
        try one.say(FactKey(Self.kept, [2]), [9], lifetime: nil, now: .start, into: &changes)
        #expect(throws: FactWriteError.tooLong) {
            try one.say(
                Self.key(1), [UInt8](repeating: 0, count: 17), lifetime: nil, now: .start,
                into: &changes)
        }
        let wide = FactTable([
            FactDescription(
                kind: Self.kind, name: "seen", isUrgent: false, lifetimeLongest: nil,
                bounds: FactBounds(keys: 250, octets: 1 << 20))
        ])!
        var liar = Replica(node: Self.id(3), incarnation: 1, table: wide)
        say(Array(1...200), at: &liar)
        _ = pull(&one, from: liar)
        #expect(subjects(3, at: one).count < 60 && mark(3, at: one) < 60)
    }

    @Test("of kinds that we do not know a liar fills no more than a few")
    func unknownKindsAreFew() throws {
        let all = (100..<UInt16(164)).map { FactKind(rawValue: $0) }
        let newer = FactTable(
            all.map {
                FactDescription(
                    kind: $0, name: "new", isUrgent: false, lifetimeLongest: nil,
                    bounds: FactBounds(keys: 8, octets: 1024))
            })!
        var changes: [FactChange] = []
        var liar = Replica(node: Self.id(3), incarnation: 1, table: newer)
        for kind in all {
            try liar.say(FactKey(kind, [1]), [2], lifetime: nil, now: .start, into: &changes)
        }
        let facts = seal(&liar, now: .start)
        var one = replica(1)
        #expect(one.apply(pushed: facts, now: clocks(0), into: &changes).overBound == 64 - 8)
        #expect(one.count == 8)
    }

    @Test("a kind that we do not know is carried to those who do")
    func unknownKinds() throws {
        let kind = FactKind(rawValue: 99)
        let newer = FactTable([
            FactDescription(
                kind: kind, name: "new", isUrgent: false, lifetimeLongest: nil,
                bounds: FactBounds(keys: 8, octets: 1024))
        ])!
        var changes: [FactChange] = []
        var one = Replica(node: Self.id(1), incarnation: 1, table: newer)
        try one.say(
            FactKey(kind, [1]), [2], lifetime: nil, now: .start,
            into: &changes)
        seal(&one, now: .start)
        var old = replica(2)
        _ = pull(&old, from: one)
        var three = Replica(node: Self.id(3), incarnation: 1, table: newer)
        three.setMembers([Self.id(1)], into: &changes)
        _ = pull(&three, from: old)
        #expect(three.statements(about: FactKey(kind, [1]), now: .start).map(\.record.value) == [[2]])
    }
}

extension ClockReading {
    static let start = ClockReading(uptime: .start, wall: Timestamp(milliseconds: 0))
}
