import MailValues
import Membership
import Testing

@testable import GossipTransport

@Suite("Links", .timeLimit(.minutes(2)))
struct LinkTests {
    @Test("frames go both ways on both channels, under the name that the sender's key has")
    func bothWays() async throws {
        let (anna, bert) = try await TestNode.couple()
        for channel in Channel.allCases {
            #expect(anna.transport.send([1, channel.rawValue], to: bert.id, on: channel))
            #expect(bert.transport.send([2, channel.rawValue], to: anna.id, on: channel))
        }
        await anna.events.waitForFrames(2)
        await bert.events.waitForFrames(2)
        for (node, peer, first) in [(anna, bert, UInt8(2)), (bert, anna, 1)] {
            for frame in node.events.frames {
                #expect(frame.peer == peer.id)
                #expect(frame.octets == [first, frame.channel.rawValue])
                #expect(frame.age < .seconds(1))
            }
            #expect(Set(node.events.frames.map(\.channel)) == [.control, .bulk])
        }
        #expect(anna.transport.statistics.control.framesSent == 1)
        #expect(anna.transport.statistics.control.octetsSent == 2)
        #expect(anna.transport.statistics.bulk.framesReceived == 1)
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("frames of one member arrive in the order in which they were sent, and whole")
    func order() async throws {
        let (anna, bert) = try await TestNode.couple()
        let long = [UInt8](repeating: 0xA5, count: 1 << 20)
        for number in 0..<100 { #expect(anna.transport.send([UInt8(number)], to: bert.id, on: .control)) }
        #expect(anna.transport.send(long, to: bert.id, on: .bulk))
        #expect(anna.transport.send([], to: bert.id, on: .bulk))
        await bert.events.waitForFrames(102)
        let frames = bert.events.frames
        #expect(frames.filter { $0.channel == .control }.map(\.octets) == (0..<100).map { [UInt8($0)] })
        #expect(frames.filter { $0.channel == .bulk }.map(\.octets) == [long, []])
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("a member whose process is gone is told of as refused, and is back as soon as it listens again")
    func refusedAndBack() async throws {
        let (anna, bert) = try await TestNode.couple()
        bert.transport.shutdown()
        await anna.events.wait(for: .down(bert.id, .control))
        await anna.events.wait(for: .refused(bert.id))
        #expect(anna.transport.send([1], to: bert.id, on: .control))  // taken, and dropped
        await until { anna.transport.statistics.control.dropped.notConnected == 1 }

        let again = try TestNode(2, pair: bert.pair, ports: bert.transport.ports)
        await again.meet(anna)
        await anna.events.wait(for: .up(bert.id, .control), times: 2)
        #expect(anna.transport.send([2], to: bert.id, on: .control))
        await again.events.waitForFrames(1)
        #expect(again.events.frames.map(\.octets) == [[2]])
        anna.transport.shutdown()
        again.transport.shutdown()
    }

    @Test("what is for nobody, too long or too much is dropped and counted, and nothing waits")
    func bounds() async throws {
        let anna = try TestNode(1) { $0.control.mailboxOctets = 1000 }
        let nobody = NodeID(octets: [UInt8](repeating: 9, count: 32))!
        #expect(anna.transport.send([1], to: nobody, on: .bulk))
        await until { anna.transport.statistics.bulk.dropped.notConnected == 1 }
        #expect(!anna.transport.send([UInt8](repeating: 0, count: 1 << 20 + 1), to: nobody, on: .control))
        #expect(anna.transport.statistics.control.dropped.tooLong == 1)
        #expect(!anna.transport.send([UInt8](repeating: 0, count: 1001), to: nobody, on: .control))
        #expect(anna.transport.statistics.control.dropped.mailboxFull == 1)
        anna.transport.shutdown()
        #expect(!anna.transport.send([1], to: nobody, on: .bulk))
    }

    @Test("† a peer that does not read costs its own frames, and delays nobody else's")
    func neverWaits() async throws {
        let (anna, bert) = try await TestNode.couple()
        // It lets links in and reads nothing.
        let context = try ZeroMQContext()
        let authentication = try Authentication(in: context)
        var settings = TransportSettings(bindAddress: TestNode.loopback)
        settings.control.receiveQueue = 1
        let deaf = try ChannelSockets(.control, settings, in: context)
        let pair = try LinkKeyPair.generate()
        let port = try deaf.listen(TestNode.loopback, port: 0, as: pair)
        let carl = NodeID(octets: [UInt8](repeating: 3, count: 32))!
        await anna.transport.admit(pair.key, for: carl)
        anna.transport.setPeers([
            bert.id: bert.address,
            carl: PeerAddress(address: TestNode.loopback, controlPort: port, bulkPort: 1, key: pair.key),
        ])
        let message = ZeroMQMessage()
        // On a busy machine a handshake may take too long and be begun again: each is answered.
        await until {
            _ = authentication.answerNext(message) { _ in .accept(userID: "1") }
            return anna.events.all.contains(.up(carl, .control))
        }

        let frame = [UInt8](repeating: 0, count: 60_000)
        await until {
            _ = authentication.answerNext(message) { _ in .accept(userID: "1") }
            _ = anna.transport.send(frame, to: carl, on: .control)
            return anna.transport.statistics.control.dropped.peerFull > 0
        }
        #expect(anna.transport.send([5], to: bert.id, on: .control))
        await bert.events.waitForFrames(1)
        #expect(bert.events.frames[0].octets == [5])
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("† connections may come and go as fast as they like: no route is used twice")
    func routesAreNew() async throws {
        let (anna, bert) = try await TestNode.couple()
        for _ in 0..<300 {
            anna.transport.setPeers([:])
            anna.transport.setPeers([bert.id: bert.address])
        }
        await until { anna.transport.statistics.connections >= 301 }
        await anna.events.wait { events in
            events.last { $0 == .up(bert.id, .control) || $0 == .down(bert.id, .control) }
                == .up(bert.id, .control)
        }
        await until {
            _ = anna.transport.send([1], to: bert.id, on: .control)
            return !bert.events.frames.isEmpty
        }
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("† the library ends the process where a route comes twice")
    func whyRoutesAreNew() async {
        await #expect(processExitsWith: .signal(6)) {
            let context = try ZeroMQContext()
            let sockets = try ChannelSockets(
                .control, TransportSettings(bindAddress: IPAddress("127.0.0.1")!), in: context)
            let pair = try LinkKeyPair.generate()
            let connection = OutgoingLinks.Connection(
                node: NodeID(octets: [UInt8](repeating: 1, count: 32))!, endpoint: "tcp://127.0.0.1:1",
                route: [1, 2, 3], key: pair.key)
            // Whether a route is free again after a moment is a matter of luck; over and over, the luck ends.
            for _ in 0..<10_000 {
                try sockets.connect(connection, as: pair)
                sockets.outward.disconnect(connection.endpoint)
            }
        }
    }
}
