import MailValues
import Membership
import Testing

@testable import GossipTransport

@Suite("Links on demand", .timeLimit(.minutes(2)))
struct DemandTests {
    private static let anna = NodeID(octets: [UInt8](repeating: 1, count: 32))!
    private static let bert = NodeID(octets: [UInt8](repeating: 2, count: 32))!
    private static let key = LinkKey(octets: [UInt8](repeating: 3, count: 32))!
    private static let endpoint = "tcp://10.0.0.1:7947"

    private let address = PeerAddress(
        address: IPAddress("10.0.0.1")!, controlPort: 7946, bulkPort: 7947, key: key)

    /// Links for mail to these, all at one address.
    private func links(to nodes: NodeID...) -> OutgoingLinks {
        var links = OutgoingLinks(.bulk, timing: LinkTiming())
        let actions = links.replace(
            Dictionary(uniqueKeysWithValues: nodes.map { ($0, address) }), now: .start)
        #expect(actions.isEmpty && links.nextTick == nil)
        return links
    }

    private func way(
        _ links: inout OutgoingLinks, to node: NodeID = anna, after seconds: Int64
    ) -> (OutgoingLinks.Way, [OutgoingLinks.Action]) {
        var actions: [OutgoingLinks.Action] = []
        let way = links.way(to: node, now: .start + .seconds(seconds), &actions)
        return (way, actions)
    }

    private func connected(_ actions: [OutgoingLinks.Action]) -> [NodeID] {
        actions.compactMap { if case .connect(let connection) = $0 { connection.node } else { nil } }
    }

    private func establish(_ links: inout OutgoingLinks, after seconds: Int64) {
        let now = Uptime.start + .seconds(seconds)
        _ = links.handle(.connected(endpoint: Self.endpoint, descriptor: 5), now: now)
        _ = links.handle(.established(endpoint: Self.endpoint), now: now)
    }

    @Test("a link is made for the first frame, kept while frames go, and closed without a word that it fell")
    func life() {
        var links = links(to: Self.anna)
        let (first, actions) = way(&links, after: 0)
        #expect(first == .soon && connected(actions) == [Self.anna])
        #expect(way(&links, after: 1) == (.soon, []))
        establish(&links, after: 1)
        guard case (.route(let route), []) = way(&links, after: 20) else {
            Issue.record("no way by a link that stands")
            return
        }
        #expect(links.nextTick == .start + .seconds(50))
        #expect(links.tick(now: .start + .milliseconds(49_999)).isEmpty)
        #expect(
            links.tick(now: .start + .seconds(50))
                == [.disconnect(endpoint: Self.endpoint), .tell(.rested(Self.anna, .bulk))])
        #expect(links.nextTick == nil && links.route(to: Self.anna) == nil)
        // † The next one is another connection.
        guard case (.soon, let again) = way(&links, after: 51), case .connect(let connection)? = again.first
        else {
            Issue.record("no second link")
            return
        }
        #expect(connection.route != route)
    }

    @Test("one that does not come about is told of once, tried while frames want to go, and then given up")
    func failing() {
        var links = links(to: Self.anna)
        _ = way(&links, after: 0)
        #expect(links.tick(now: .start + .milliseconds(4_999)).isEmpty)
        #expect(links.tick(now: .start + .seconds(5)) == [.tell(.down(Self.anna, .bulk))])
        #expect(way(&links, after: 10) == (.none, []))
        #expect(connected(links.tick(now: .start + .seconds(11))) == [Self.anna])
        let end = links.tick(now: .start + .seconds(40))
        #expect(end == [.disconnect(endpoint: Self.endpoint), .tell(.rested(Self.anna, .bulk))])
        #expect(links.nextTick == nil)
    }

    @Test("one that fell is told of at once and comes back; who is no member any more has none")
    func fallen() {
        var links = links(to: Self.anna)
        _ = way(&links, after: 0)
        establish(&links, after: 0)
        #expect(
            links.handle(.disconnected(endpoint: Self.endpoint, descriptor: 5), now: .start)
                == [.tell(.down(Self.anna, .bulk))])
        #expect(way(&links, after: 1) == (.none, []))
        establish(&links, after: 2)
        guard case (.route, []) = way(&links, after: 3) else {
            Issue.record("it did not come back")
            return
        }
        let gone = links.replace([:], now: .start)
        #expect(gone.suffix(2) == [.tell(.down(Self.anna, .bulk)), .tell(.rested(Self.anna, .bulk))])
        #expect(way(&links, after: 4) == (.none, []))
        #expect(links.nextTick == nil)
    }

    @Test("a member that gives another's address waits there for its turn, and gets it when the other rests")
    func rivals() {
        var links = links(to: Self.anna, Self.bert)
        _ = way(&links, after: 0)
        establish(&links, after: 0)
        #expect(way(&links, to: Self.bert, after: 1) == (.soon, []))
        #expect(links.tick(now: .start + .seconds(6)) == [.tell(.down(Self.bert, .bulk))])
        #expect(way(&links, to: Self.bert, after: 29) == (.none, []))
        let turn = links.tick(now: .start + .seconds(30))
        #expect(connected(turn) == [Self.bert] && turn.last == .tell(.rested(Self.anna, .bulk)))
        #expect(connected(links.tick(now: .start + .seconds(59))) == [])
        #expect(links.nextTick == nil)
    }

    @Test("what waits for a link is bounded for each member and for all, and leaves in order")
    func waiting() {
        var waiting = WaitingFrames(framesMost: 2, octetsMost: 10)
        func add(_ count: Int, for node: NodeID) -> Bool {
            waiting.add(.init(node: node, header: [], octets: [UInt8](repeating: 0, count: count)))
        }
        #expect(add(1, for: Self.anna) && add(2, for: Self.anna) && !add(3, for: Self.anna))
        #expect(add(7, for: Self.bert) && !add(1, for: Self.bert))
        #expect(waiting.take(for: Self.anna).map(\.octets.count) == [1, 2])
        #expect(waiting.take(for: Self.anna).isEmpty && waiting.octets == 7)
        #expect(add(3, for: Self.bert))
    }

    @Test("the more links there are, the less each new one asks: 16 of a second's questions for 32 members")
    func heartbeats() {
        let timing = LinkTiming()
        let intervals = [1, 8, 9, 16, 17, 32, 33, 64].map { timing.heartbeat(among: $0) }
        #expect(intervals == [1, 1, 2, 2, 4, 4, 8, 8].map { .seconds($0) })
        let questions = (1...32).reduce(0.0) { $0 + .seconds(1) / timing.heartbeat(among: $1) }
        #expect(questions == 16)
    }

    // MARK: Real sockets

    @Test("two that have nothing to hand over have no links for it; what comes waits for its link")
    func firstFrames() async throws {
        let (anna, bert) = try await TestNode.couple()
        #expect(anna.transport.statistics.connections == 1)
        for number in 0..<50 { #expect(anna.transport.send([UInt8(number)], to: bert.id, on: .bulk)) }
        await bert.events.waitForFrames(50)
        #expect(bert.events.frames.map(\.octets) == (0..<50).map { [UInt8($0)] })
        #expect(anna.transport.statistics.bulk.dropped.sum == 0)
        // The other way is another link.
        #expect(bert.transport.statistics.connections == 1)
        #expect(bert.transport.send([1], to: anna.id, on: .bulk))
        await anna.events.waitForFrames(1)
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("a link that rests comes back with the next frame, again and again, and none is lost")
    func restAndBack() async throws {
        let (anna, bert) = try await TestNode.couple { $0.timing.idle = .milliseconds(20) }
        for number in 1...10 {
            #expect(anna.transport.send([UInt8(number)], to: bert.id, on: .bulk))
            await bert.events.waitForFrames(number)
            await anna.events.wait(for: .rested(bert.id, .bulk), times: number)
        }
        #expect(bert.events.frames.map(\.octets) == (1...10).map { [UInt8($0)] })
        #expect(anna.events.count(of: .down(bert.id, .bulk)) == 0)
        // Each frame had a link of its own; one that does not stand in time, on a busy machine, is made anew.
        #expect(anna.transport.statistics.connections >= 11)
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("frames for a member whose link cannot be had are dropped, counted and told of, not kept")
    func nobodyThere() async throws {
        let anna = try TestNode(1) {
            $0.timing.patience = .milliseconds(50)
            $0.bulk.waitingOctets = 2
        }
        let bert = try TestNode(2)
        await anna.meet(bert)
        bert.transport.shutdown()
        for _ in 0..<3 { #expect(anna.transport.send([1], to: bert.id, on: .bulk)) }
        await anna.events.wait(for: .down(bert.id, .bulk))
        await until { anna.transport.statistics.bulk.dropped.notConnected == 3 }
        #expect(anna.transport.statistics.bulk.dropped.sum == 3)
        anna.transport.shutdown()
    }
}
