import Glibc
import MailValues
import Testing

@testable import GossipTransport

@Suite("The door for joiners", .timeLimit(.minutes(2)))
struct DoorTests {
    private let pair: LinkKeyPair

    init() throws { pair = try LinkKeyPair.generate() }

    private func ask(
        _ node: TestNode, _ port: UInt16, _ octets: [UInt8], timeout: Duration = .seconds(20),
        patience: Duration = .seconds(5)
    ) async throws(DoorCallError) -> [UInt8] {
        try await DoorCall.ask(
            TestNode.loopback, port: port, key: node.pair.key, as: pair, octets, timeout: timeout,
            patience: patience)
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

    @Test("whoever has another key of the member's cannot ask at all, soon knows why, and is counted")
    func wrongKey() async throws {
        let (anna, bert) = (try TestNode(1), try TestNode(2))
        let port = try await anna.transport.openDoor(for: .seconds(60))
        await #expect(throws: DoorCallError.otherKey(endpoint: "tcp://127.0.0.1:\(port)")) {
            try await ask(bert, port, [1], patience: .milliseconds(500))
        }
        await until { anna.transport.statistics.doorStrangers > 0 }
        #expect(anna.transport.statistics.doorRequests == 0 && anna.transport.statistics.doorRefusals == 0)
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("where nothing listens a call ends soon, and says so")
    func nobody() async throws {
        let anna = try TestNode(1)
        let quiet = try QuietPort()
        await #expect(throws: DoorCallError.nobody(endpoint: "tcp://127.0.0.1:\(quiet.port)")) {
            try await ask(anna, quiet.port, [1], patience: .milliseconds(500))
        }
        anna.transport.shutdown()
    }

    @Test("a member that took the question has longer for its answer, and is not said to be absent")
    func silent() async throws {
        let anna = try TestNode(1)
        let port = try await anna.transport.openDoor(for: .seconds(60))
        await #expect(throws: DoorCallError.noAnswer(endpoint: "tcp://127.0.0.1:\(port)")) {
            try await ask(anna, port, [1], timeout: .milliseconds(800), patience: .milliseconds(700))
        }
        #expect(anna.transport.statistics.doorRequests == 1)
        anna.transport.shutdown()
    }

    @Test("only who shows the member's key is waited for longer")
    func progress() {
        let endpoint = "tcp://127.0.0.1:1"
        func outcome(_ events: SocketMonitor.Event...) -> (DoorCallError, Int64) {
            var progress = DoorCallProgress(now: .start, patience: .seconds(5), timeout: .seconds(20))
            for event in events { progress.handle(event) }
            return (progress.failure(endpoint), progress.deadline.milliseconds)
        }
        let connected = SocketMonitor.Event.connected(endpoint: endpoint, descriptor: 1)
        let retrying = SocketMonitor.Event.retrying(endpoint: endpoint)
        let abandoned = SocketMonitor.Event.abandoned(endpoint: endpoint)
        #expect(outcome() == (.nobody(endpoint: endpoint), 5_000))
        #expect(outcome(retrying) == (.nobody(endpoint: endpoint), 5_000))
        #expect(outcome(connected, abandoned, retrying) == (.otherKey(endpoint: endpoint), 5_000))
        #expect(
            outcome(connected, .established(endpoint: endpoint), retrying, connected)
                == (.noAnswer(endpoint: endpoint), 20_000))
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

/// A port of loopback that is taken, and at which nobody listens: connections are refused.
private struct QuietPort: ~Copyable {
    let port: UInt16
    private let descriptor: CInt

    init() throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutableBytes(of: &name) { [descriptor] octets in
            let address = octets.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return bind(descriptor, address, size) + getsockname(descriptor, address, &size)
        }
        port = UInt16(bigEndian: name.sin_port)
        try #require(code == 0 && port > 0)
    }

    deinit { close(descriptor) }
}
