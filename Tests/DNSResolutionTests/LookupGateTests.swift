import Testing

@testable import DNSResolution

@Suite("Lookup gate") struct LookupGateTests {
    private static let limits: ResolverLimits = {
        var limits = ResolverLimits()
        limits.promptLookups = 4
        limits.slowLookups = 2
        limits.failingLookups = 1
        limits.waitingLookups = 6
        return limits
    }()

    @Test("a name that has answered passes while the unknown ones have become slow")
    func provenPasses() {
        var gate = LookupGate<Int>(limits: Self.limits)
        for id in 0..<2 {
            #expect(gate.request(id, standing: .unknown) == .run(.prompt))
            #expect(gate.slowed(.prompt) == .slow)
        }
        #expect(gate.request(10, standing: .unknown) == .wait)
        for id in 20..<24 { #expect(gate.request(id, standing: .proven) == .run(.prompt)) }
        #expect(gate.request(24, standing: .proven) == .wait)
        #expect(gate.runningCount == 6)
        #expect(gate.next() == nil)
        gate.finished(.prompt)
        #expect(gate.next()?.id == 24)
        gate.finished(.slow)
        #expect(gate.next() == nil)
        gate.finished(.prompt)
        #expect(gate.next()?.id == 10)
    }

    @Test("names that failed share what is theirs, and leave the rest to others")
    func failingShare() {
        var gate = LookupGate<Int>(limits: Self.limits)
        #expect(gate.request(0, standing: .failing) == .run(.failing))
        #expect(gate.request(1, standing: .failing) == .wait)
        #expect(gate.slowed(.failing) == .failing)
        #expect(gate.request(2, standing: .unknown) == .run(.prompt))
        gate.finished(.failing)
        let next = gate.next()
        #expect(next?.id == 1)
        #expect(next?.place == .failing)
    }

    @Test("the waiting room is bounded, and keeps room for names that have answered")
    func waitingRoom() {
        var gate = LookupGate<Int>(limits: Self.limits)
        _ = gate.request(0, standing: .failing)
        for id in 1...3 { #expect(gate.request(id, standing: .failing) == .wait) }
        #expect(gate.request(4, standing: .failing) == .refuse)
        for id in 10..<14 { #expect(gate.request(id, standing: .proven) == .run(.prompt)) }
        for id in 14..<17 { #expect(gate.request(id, standing: .proven) == .wait) }
        #expect(gate.request(17, standing: .proven) == .refuse)
        #expect(gate.waitingCount == 6)
    }

    @Test("of the unknown the latest goes first, and the one that waited longest gives up first")
    func unknownOrder() {
        var gate = LookupGate<Int>(limits: Self.limits)
        for id in 0..<4 { #expect(gate.request(id, standing: .unknown) == .run(.prompt)) }
        for id in 4..<7 { #expect(gate.request(id, standing: .unknown) == .wait) }
        gate.gaveUp(4, standing: .unknown)
        #expect(gate.waitingCount == 2)
        gate.finished(.prompt)
        #expect(gate.next()?.id == 6)
        gate.gaveUp(5, standing: .unknown)
        gate.finished(.prompt)
        #expect(gate.next() == nil)
    }

    @Test("whoever came first goes first, whatever comes and goes")
    func order() {
        var queue = FIFO<Int>()
        var expected = 0
        var next = 0
        for round in 0..<500 {
            for _ in 0..<(round % 7) {
                queue.append(next)
                next += 1
            }
            for _ in 0..<(round % 5) where !queue.isEmpty {
                #expect(queue.popFirst() == expected)
                expected += 1
            }
            #expect(queue.count == next - expected)
        }
    }

    @Test("a map forgets the oldest half and never holds more than it may")
    func recentMap() {
        var map = RecentMap<Int, Int>(capacity: 10)
        for key in 0..<100 {
            map.set(key, key)
            #expect(map.count <= 10)
            for recent in max(0, key - 4)...key { #expect(map.value(recent) == recent) }
        }
        #expect(map.value(80) == nil)
        map.set(99, 7)
        #expect(map.value(99) == 7)
        map.remove(99)
        #expect(map.value(99) == nil)
    }
}
