import MailValues
import Membership
import Testing

@testable import GossipTransport

@Suite("Outgoing links")
struct OutgoingLinksTests {
    private static let anna = NodeID(octets: [UInt8](repeating: 1, count: 32))!
    private static let bert = NodeID(octets: [UInt8](repeating: 2, count: 32))!
    private static let key = LinkKey(octets: [UInt8](repeating: 3, count: 32))!
    private static let endpoint = "tcp://10.0.0.1:7946"

    private func address(_ text: String = "10.0.0.1", port: UInt16 = 7946) -> PeerAddress {
        PeerAddress(address: IPAddress(text)!, controlPort: port, bulkPort: port + 1, key: Self.key)
    }

    private func links() -> (OutgoingLinks, route: [UInt8]) {
        var links = OutgoingLinks(.control, timing: LinkTiming())
        guard case .connect(let connection)? = links.replace([Self.anna: address()], now: .start).first else {
            return (links, [])
        }
        return (links, connection.route)
    }

    private func connect(_ links: inout OutgoingLinks, descriptor: CInt = 5) {
        _ = links.handle(.connected(endpoint: Self.endpoint, descriptor: descriptor), now: .start)
        _ = links.handle(.established(endpoint: Self.endpoint), now: .start)
    }

    @Test("a link carries frames between the handshake and the end of its connection, and tells of both once")
    func upAndDown() {
        var (links, route) = links()
        #expect(links.route(to: Self.anna) == nil)
        #expect(links.handle(.connected(endpoint: Self.endpoint, descriptor: 5), now: .start).isEmpty)
        #expect(links.route(to: Self.anna) == nil)
        #expect(
            links.handle(.established(endpoint: Self.endpoint), now: .start) == [
                .tell(.up(Self.anna, .control))
            ])
        #expect(links.route(to: Self.anna) == route)
        #expect(links.handle(.disconnected(endpoint: Self.endpoint, descriptor: 4), now: .start).isEmpty)
        #expect(
            links.handle(.disconnected(endpoint: Self.endpoint, descriptor: 5), now: .start)
                == [.tell(.down(Self.anna, .control))])
        #expect(links.route(to: Self.anna) == nil)
        #expect(
            links.handle(.retrying(endpoint: Self.endpoint), now: .start) == [.probe(Self.anna, address())])
        #expect(links.handle(.established(endpoint: "tcp://10.0.0.9:1"), now: .start).isEmpty)
    }

    @Test("who stays is left alone, who moves is connected anew, who goes is parted from")
    func replace() {
        var (links, route) = links()
        connect(&links)
        #expect(links.replace([Self.anna: address()], now: .start).isEmpty)
        let moved = links.replace([Self.anna: address(port: 8000)], now: .start)
        #expect(moved.first == .disconnect(endpoint: Self.endpoint))
        #expect(moved.contains(.tell(.down(Self.anna, .control))))
        guard case .connect(let connection)? = moved.last else {
            Issue.record("no connection in \(moved)")
            return
        }
        #expect(connection.endpoint == "tcp://10.0.0.1:8000")
        #expect(connection.route != route)
        #expect(links.replace([:], now: .start) == [.disconnect(endpoint: "tcp://10.0.0.1:8000")])
        #expect(links.nextTick == nil)
    }

    @Test("two members that give one address have their turns there, until one shows its key")
    func sameAddress() {
        var links = OutgoingLinks(.control, timing: LinkTiming())
        var actions = links.replace([Self.anna: address(), Self.bert: address()], now: .start)
        #expect(connected(actions) == [Self.anna] && actions.count == 1)
        // Whatever the wrong key brings about there, the turn ends.
        var turns: [NodeID] = []
        for second in Int64(1)...14 {
            let now = Uptime.start + .seconds(second)
            _ = links.handle(.connected(endpoint: Self.endpoint, descriptor: 5), now: now)
            _ = links.handle(.abandoned(endpoint: Self.endpoint), now: now)
            _ = links.handle(.disconnected(endpoint: Self.endpoint, descriptor: 5), now: now)
            actions = links.tick(now: now)
            turns += connected(actions)
        }
        #expect(turns == [Self.bert, Self.anna])
        // One that stands stays, and one that stood is waited for longer.
        connect(&links)
        #expect(links.tick(now: .start + .seconds(600)).isEmpty && links.isUp(Self.anna))
        _ = links.handle(
            .disconnected(endpoint: Self.endpoint, descriptor: 5), now: .start + .seconds(600))
        #expect(!connected(links.tick(now: .start + .seconds(650))).contains(Self.bert))
        #expect(connected(links.tick(now: .start + .seconds(660))) == [Self.bert])
        // Who gives another address is linked to there.
        actions = links.replace(
            [Self.anna: address(), Self.bert: address(port: 8000)], now: .start + .seconds(661))
        #expect(connected(actions) == [Self.anna, Self.bert])
    }

    private func connected(_ actions: [OutgoingLinks.Action]) -> [NodeID] {
        actions.compactMap { if case .connect(let connection) = $0 { connection.node } else { nil } }
    }

    @Test("a connection that the library gave up is made anew, by another route, after a rest")
    func renewal() {
        var (links, route) = links()
        connect(&links)
        _ = links.handle(.disconnected(endpoint: Self.endpoint, descriptor: 5), now: .start)
        #expect(
            links.handle(.turnedAway(endpoint: Self.endpoint), now: .start) == [.tell(.turnedAway(Self.anna))]
        )
        #expect(links.nextTick == .start + .seconds(1))
        #expect(links.tick(now: .start + .milliseconds(999)).isEmpty)
        let actions = links.tick(now: .start + .seconds(1))
        #expect(actions.first == .disconnect(endpoint: Self.endpoint))
        guard case .connect(let connection)? = actions.last else {
            Issue.record("no connection in \(actions)")
            return
        }
        #expect(connection.route != route)
    }

    @Test("a link that is silent for longer than an attempt can take is made anew")
    func silence() {
        var (links, _) = links()
        #expect(links.nextTick == .start + .seconds(6))
        #expect(links.tick(now: .start + .seconds(6)).count == 2)
        connect(&links)
        #expect(links.nextTick == nil)
        #expect(links.unroutable(Self.anna, now: .start) == [.tell(.down(Self.anna, .control))])
        #expect(links.nextTick == .start + .seconds(1))
    }

    @Test("IPv6 addresses stand in brackets")
    func endpoints() {
        #expect(OutgoingLinks.endpoint(IPAddress("2001:db8::1")!, 25) == "tcp://[2001:db8::1]:25")
    }
}
