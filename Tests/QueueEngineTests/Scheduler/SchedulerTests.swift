import MailValues
import Testing

@testable import QueueEngine

private let start = Timestamp(seconds: 1_800_000_000)

private func id(_ number: UInt64) -> QueueID { QueueID(at: start, entropyHigh: 0, entropyLow: number) }

private func terms(priority: Int8 = 0, isHeld: Bool = false) -> Scheduler.Terms {
    Scheduler.Terms(
        deadline: start + .seconds(432_000), noticeAt: start + .seconds(14_400), sizeOctets: 4096,
        priority: priority,
        isHeld: isHeld)
}

@Suite("The scheduler")
struct SchedulerTests {
    @Test("an entry without a moment is ready at once, one with a moment when it has come")
    func readiness() {
        var scheduler = Scheduler()
        let now = scheduler.add(id(1), terms: terms(), domain: Domain("a.example"), due: nil, now: start)
        let later = scheduler.add(
            id(2), terms: terms(), domain: Domain("a.example"), due: start + .seconds(60), now: start)
        #expect(now.isReady && !later.isReady)
        #expect(scheduler.nextDue == start + .seconds(60))
        let taken = [scheduler.take(from: now.domain), scheduler.take(from: now.domain)]
        #expect(taken == [now.slot, nil])
        var woken: [DomainIndex] = []
        let isMoreEarly = scheduler.advance(to: start + .seconds(59), limit: 10) { woken.append($0) }
        #expect(woken.isEmpty && !isMoreEarly)
        let isMore = scheduler.advance(to: start + .seconds(60), limit: 10) { woken.append($0) }
        #expect(woken == [now.domain] && !isMore)
        let next = scheduler.take(from: now.domain)
        #expect(next == later.slot)
    }

    @Test("a moment between two seconds is never early")
    func roundsUp() {
        var scheduler = Scheduler()
        let due = start + .milliseconds(1_500)
        scheduler.add(id(1), terms: terms(), domain: Domain("a.example"), due: due, now: start)
        _ = scheduler.advance(to: start + .milliseconds(1_999), limit: 1) { _ in Issue.record("too early") }
        #expect(scheduler.waitingCount == 1)
        _ = scheduler.advance(to: start + .seconds(2), limit: 1) { _ in }
        #expect(scheduler.readyCount == 1)
    }

    @Test("urgent mail goes before ordinary, ordinary before patient, each in order of coming")
    func priorities() {
        var scheduler = Scheduler()
        var domain: DomainIndex?
        for (number, priority) in [(1, -4), (2, 0), (3, 9), (4, 0), (5, 3), (6, -9)] as [(UInt64, Int8)] {
            domain =
                scheduler.add(
                    id(number), terms: terms(priority: priority), domain: Domain("a.example"), due: nil,
                    now: start
                ).domain
        }
        var order: [UInt64] = []
        while let domain, let slot = scheduler.take(from: domain) { order.append(scheduler.id(slot).low) }
        #expect(order == [3, 5, 2, 4, 1, 6])
    }

    @Test("a message is known by its id until its last entry is done")
    func once() {
        var scheduler = Scheduler()
        #expect(!scheduler.knows(id(1)))
        let first = scheduler.add(id(1), terms: terms(), domain: Domain("a.example"), due: nil, now: start)
        let second = scheduler.add(id(1), terms: terms(), domain: Domain("b.example"), due: nil, now: start)
        #expect(scheduler.messageCount == 1 && scheduler.entryCount == 2)
        #expect(!scheduler.isOnly(first.slot))
        _ = scheduler.take(from: first.domain)
        _ = scheduler.take(from: second.domain)
        let wasLastFirst = scheduler.finish(first.slot)
        #expect(!wasLastFirst)
        #expect(scheduler.knows(id(1)) && scheduler.isOnly(second.slot))
        let wasLast = scheduler.finish(second.slot)
        #expect(wasLast)
        #expect(!scheduler.knows(id(1)))
    }

    @Test("haste is for what its destination kept waiting, and for nothing else")
    func hastens() {
        var scheduler = Scheduler()
        let later = start + .seconds(60)
        func waiting(
            _ number: UInt64, _ domain: String, due: Timestamp? = nil, failures: Int = 0,
            restsWithSite: Bool = false
        ) -> Slot {
            let added = scheduler.add(
                id(number), terms: terms(), domain: Domain(domain), due: due, failures: failures, now: start)
            if due == nil {
                _ = scheduler.take(from: added.domain)
                scheduler.putOff(added.slot, until: later, failures: failures, restsWithSite: restsWithSite)
            }
            return added.slot
        }
        let tried = waiting(1, "a.example", failures: 1)
        let resting = waiting(2, "a.example", restsWithSite: true)
        let readAtStart = waiting(3, "a.example", due: later, failures: 2)
        let ownMoment = waiting(4, "a.example", due: later)
        let elsewhere = waiting(5, "b.example", failures: 1)
        let meant = scheduler.domainIndex(tried)
        var woken: [DomainIndex] = []
        scheduler.hasten(0..<scheduler.slotEnd, of: [meant]) { woken.append($0) }
        #expect(woken == [meant, meant, meant])
        for slot in [tried, resting, readAtStart] { #expect(scheduler.view(slot).place == .ready) }
        for slot in [ownMoment, elsewhere] { #expect(scheduler.view(slot).place == .waiting) }
    }

    @Test("what went while the store was being read stays known until the reading is over")
    func rebuilding() {
        var scheduler = Scheduler()
        scheduler.beginRebuild()
        let added = scheduler.add(id(1), terms: terms(), domain: Domain("a.example"), due: nil, now: start)
        _ = scheduler.take(from: added.domain)
        let wasLast = scheduler.finish(added.slot)
        #expect(wasLast)
        #expect(scheduler.knows(id(1)))
        scheduler.endRebuild()
        #expect(!scheduler.knows(id(1)))
    }

    @Test("a hold stops what waits and what is ready, and catches what is in flight when it comes back")
    func holds() {
        var scheduler = Scheduler()
        let flying = scheduler.add(id(1), terms: terms(), domain: Domain("a.example"), due: nil, now: start)
        _ = scheduler.take(from: flying.domain)
        scheduler.add(id(1), terms: terms(), domain: Domain("b.example"), due: nil, now: start)
        scheduler.add(
            id(1), terms: terms(), domain: Domain("c.example"), due: start + .seconds(5), now: start)
        scheduler.hold(id(1))
        #expect(scheduler.heldCount == 2 && scheduler.readyCount == 0 && scheduler.waitingCount == 0)
        scheduler.putOff(flying.slot, until: start + .seconds(1), failures: 1)
        #expect(scheduler.heldCount == 3)
        var woken: Set<DomainIndex> = []
        scheduler.release(id(1)) { woken.insert($0) }
        #expect(woken.count == 3 && scheduler.readyCount == 3)
    }

    @Test("retrying makes ready what waits, and leaves alone what is held")
    func retrying() {
        var scheduler = Scheduler()
        scheduler.add(
            id(1), terms: terms(), domain: Domain("a.example"), due: start + .seconds(99), now: start)
        scheduler.add(id(2), terms: terms(isHeld: true), domain: Domain("a.example"), due: nil, now: start)
        scheduler.retry(id(1)) { _ in }
        scheduler.retry(id(2)) { _ in Issue.record("a held message is not retried") }
        #expect(scheduler.readyCount == 1 && scheduler.heldCount == 1)
    }

    @Test("a message of which an attempt is in hand is not seized")
    func seizing() {
        var scheduler = Scheduler()
        let added = scheduler.add(id(1), terms: terms(), domain: Domain("a.example"), due: nil, now: start)
        scheduler.add(id(1), terms: terms(), domain: Domain("b.example"), due: nil, now: start)
        _ = scheduler.take(from: added.domain)
        let refused = scheduler.seize(id(1))
        #expect(refused == nil)
        scheduler.putBack(added.slot)
        let seized = scheduler.seize(id(1))
        #expect(seized?.count == 2)
        #expect(scheduler.readyCount == 0 && scheduler.inFlightCount == 2)
    }

    @Test("a forgotten domain's number is used again")
    func forgetting() {
        var scheduler = Scheduler()
        for number in 0..<100 as Range<UInt64> {
            let added = scheduler.add(
                id(number), terms: terms(), domain: Domain("d\(number).example"), due: nil, now: start)
            _ = scheduler.take(from: added.domain)
            scheduler.finish(added.slot)
        }
        #expect(scheduler.idleDomainCount == 100 && scheduler.domainCount == 100)
        scheduler.forgetIdleDomains { _ in true }
        #expect(scheduler.idleDomainCount == 0)
        scheduler.add(id(1), terms: terms(), domain: Domain("new.example"), due: nil, now: start)
        #expect(scheduler.domainCount == 100)
    }

    /// Every operation against a plain model: sets and dictionaries, nothing linked.
    @Test(
        "whatever is done to it, in whatever order, it agrees with a plain list",
        arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithModel(seed: UInt64) {
        enum Place: Equatable { case waiting(Int64), ready, flying, held }
        var random = Generator(state: seed)
        var scheduler = Scheduler()
        var model: [UInt64: [Slot: (domain: DomainIndex, place: Place)]] = [:]
        var flying: [(number: UInt64, slot: Slot)] = []
        var now = start
        for step in 0..<1_500 as Range<UInt64> {
            switch UInt8.random(in: 0...9, using: &random) {
            case 0...3:
                let first = Int.random(in: 0..<20, using: &random)
                for domain in first..<first + Int.random(in: 1...3, using: &random) {
                    let due =
                        Bool.random(using: &random)
                        ? start + .seconds(Int64.random(in: 0...500, using: &random)) : nil
                    let added = scheduler.add(
                        id(step), terms: terms(), domain: Domain("d\(domain).example"), due: due, now: now)
                    let place: Place =
                        due.map { $0 > now ? .waiting($0.milliseconds / 1000) : .ready } ?? .ready
                    #expect(added.isReady == (place == .ready))
                    model[step, default: [:]][added.slot] = (added.domain, place)
                }
            case 4:
                now = now + .seconds(Int64.random(in: 0...5, using: &random))
                _ = scheduler.advance(to: now, limit: .max) { _ in }
                for (number, entries) in model {
                    for (slot, entry) in entries {
                        if case .waiting(let due) = entry.place, due * 1000 <= now.milliseconds {
                            model[number]?[slot]?.place = .ready
                        }
                    }
                }
            case 5, 6:
                guard scheduler.domainCount > 0 else { continue }
                let domain = DomainIndex(
                    rawValue: UInt32.random(in: 0..<UInt32(scheduler.domainCount), using: &random))
                guard let slot = scheduler.take(from: domain) else { continue }
                let number = scheduler.id(slot).low
                #expect(model[number]?[slot]?.place == .ready)
                model[number]?[slot]?.place = .flying
                flying.append((number, slot))
            case 7:
                guard let index = flying.indices.randomElement(using: &random) else { continue }
                let (number, slot) = flying.remove(at: index)
                if Bool.random(using: &random) {
                    model[number]?[slot] = nil
                    let isLast = model[number]?.isEmpty == true
                    let wasLast = scheduler.finish(slot)
                    #expect(wasLast == isLast)
                    if isLast { model[number] = nil }
                } else {
                    let due = now + .seconds(7)
                    scheduler.putOff(slot, until: due, failures: 1)
                    model[number]?[slot]?.place = .waiting(due.milliseconds / 1000)
                }
            case 8:
                guard let number = model.keys.sorted().randomElement(using: &random) else { continue }
                guard model[number]?.values.allSatisfy({ $0.place != .flying }) == true else { continue }
                scheduler.hold(id(number))
                for slot in model[number]?.keys.map({ $0 }) ?? [] { model[number]?[slot]?.place = .held }
            default:
                guard let number = model.keys.sorted().randomElement(using: &random) else { continue }
                scheduler.release(id(number)) { _ in }
                for (slot, entry) in model[number] ?? [:] where entry.place == .held {
                    model[number]?[slot]?.place = .ready
                }
            }
        }
        let places = model.values.flatMap { $0.values.map(\.place) }
        #expect(scheduler.messageCount == model.count)
        #expect(scheduler.entryCount == places.count)
        #expect(scheduler.readyCount == places.count { $0 == .ready })
        #expect(scheduler.heldCount == places.count { $0 == .held })
        #expect(scheduler.inFlightCount == places.count { $0 == .flying })
        for (number, entries) in model { #expect(Set(scheduler.slots(of: id(number))) == Set(entries.keys)) }
    }

    @Test("the oldest message is known, and the octets of all entries")
    func oldest() {
        var scheduler = Scheduler()
        #expect(scheduler.oldest(in: 0..<scheduler.slotEnd) == nil)
        for second in [5, 3, 8] as [Int64] {
            let id = QueueID(at: start + .seconds(second), entropyHigh: 0, entropyLow: 0)
            for domain in ["a.example", "b.example"] {
                scheduler.add(id, terms: terms(), domain: Domain(domain), due: nil, now: start)
            }
        }
        #expect(scheduler.octets == 6 * 4096)
        #expect(scheduler.oldest(in: 0..<scheduler.slotEnd) == start + .seconds(3))
        #expect(scheduler.oldest(in: 4..<6) == start + .seconds(8))
        while let slot = scheduler.take(from: DomainIndex(rawValue: 0)) { scheduler.finish(slot) }
        #expect(scheduler.octets == 3 * 4096)
    }
}

/// SplitMix64, so that a failure names its seed.
struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
