import MailValues
import Testing

@testable import GossipTransport

@Suite("The door for joiners", .timeLimit(.minutes(2)))
struct DoorTests {
    private let pair: LinkKeyPair

    init() throws { pair = try LinkKeyPair.generate() }

    private func ask(
        _ node: TestNode, _ port: UInt16, _ octets: [UInt8], timeout: Duration = .seconds(20)
    ) async throws(DoorCallError) -> [UInt8] {
        try await DoorCall.ask(
            TestNode.loopback, port: port, key: node.pair.key, as: pair, octets, timeout: timeout)
    }

    @Test("a stranger says one thing, and hears one answer")
    func request() async throws {
        let anna = try TestNode(1)
        let port = try await anna.transport.openDoor(for: .seconds(60))
        async let answer = ask(anna, port, [1, 2, 3])
        let request = await anna.events.request()
        #expect(request.key == pair.key)
        #expect(request.octets == [1, 2, 3])
        anna.transport.answer(request.visitor, [4])
        anna.transport.answer(request.visitor, [5])
        #expect(try await answer == [4])
        #expect(anna.transport.statistics.doorRequests == 1)
        anna.transport.shutdown()
    }

    @Test(
        "the door leads nowhere else: a stranger's frames never reach a channel, and a shut door is no door")
    func onlyThere() async throws {
        let anna = try TestNode(1)
        let port = try await anna.transport.openDoor(for: .seconds(60))
        let raw = try RawLink(to: anna, as: pair)
        raw.send(RawLink.frame(stamp: 1, [1]))
        await until { anna.transport.statistics.strangers > 0 }
        #expect(anna.events.all.isEmpty)
        anna.transport.closeDoor()
        await #expect(throws: DoorCallError.self) {
            try await ask(anna, port, [1], timeout: .milliseconds(300))
        }
        #expect(anna.transport.statistics.doorRequests == 0)
        // The same port may be opened again.
        #expect(try await anna.transport.openDoor(port: port, for: .seconds(60)) == port)
        async let answer = ask(anna, port, [2])
        anna.transport.answer(await anna.events.request().visitor, [3])
        #expect(try await answer == [3])
        anna.transport.shutdown()
    }

    @Test("its time over, the door shuts by itself")
    func expiry() async throws {
        let anna = try TestNode(1)
        _ = try await anna.transport.openDoor(for: .milliseconds(50))
        await anna.events.wait(for: .doorClosed)
        await #expect(throws: TransportError.self) { try await anna.transport.openDoor(for: .zero) }
        anna.transport.shutdown()
    }

    @Test("whoever has another key of the member's cannot ask at all")
    func wrongKey() async throws {
        let (anna, bert) = (try TestNode(1), try TestNode(2))
        let port = try await anna.transport.openDoor(for: .seconds(60))
        await #expect(throws: DoorCallError.self) {
            try await ask(bert, port, [1], timeout: .milliseconds(300))
        }
        #expect(anna.transport.statistics.doorRequests == 0)
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("a crowd at the door is turned away and counted")
    func crowd() async throws {
        let anna = try TestNode(1) {
            $0.door.requestsPerSecond = 0
            $0.door.requestBurst = 2
        }
        let port = try await anna.transport.openDoor(for: .seconds(60))
        let talker = try RawLink(to: anna, as: pair, port: port)
        talker.send([1])
        talker.send([2])  // by the same connection, before the answer
        await until { anna.transport.statistics.doorRefusals == 1 }
        let second = try RawLink(to: anna, as: pair, port: port)
        second.send([3])
        await until { anna.transport.statistics.doorRequests == 2 }
        let third = try RawLink(to: anna, as: pair, port: port)
        third.send([4])
        await until { anna.transport.statistics.doorRefusals == 2 }
        #expect(anna.events.all.count == 2)
        anna.transport.shutdown()
    }

    @Test("marks come back with time, and never more than a burst of them")
    func bucket() {
        var bucket = DoorGuard.Bucket(perSecond: 2, burst: 3, now: .start)
        func taken(after milliseconds: Int64...) -> [Bool] {
            milliseconds.map { bucket.take(now: Uptime(milliseconds: $0)) }
        }
        #expect(taken(after: 0, 0, 0, 0) == [true, true, true, false])
        #expect(taken(after: 499, 500, 500) == [false, true, false])
        #expect(taken(after: 1 << 40, 1 << 40, 1 << 40, 1 << 40) == [true, true, true, false])
        #expect(taken(after: 0) == [false])  // a clock that goes back gives nothing
    }
}
