import MailValues
import Membership
import Testing

@testable import GossipTransport

@Suite("Rotation of link keys", .timeLimit(.minutes(2)))
struct RotationTests {
    @Test("a new key is good at once, the old one until it is retired, and no frame needs a stop")
    func rotate() async throws {
        let (anna, bert) = try await TestNode.couple()
        let next = try LinkKeyPair.generate()

        // Anna listens under both; Bert lets the new one in as soon as he hears of it, and moves over.
        let ports = try await anna.transport.rotate(to: next)
        #expect(
            Set([ports.control, ports.bulk, anna.transport.ports.control, anna.transport.ports.bulk]).count
                == 4)
        await bert.transport.admit(next.key, for: anna.id)
        #expect(anna.transport.send([1], to: bert.id, on: .control))
        await bert.events.waitForFrames(1)
        bert.transport.setPeers([
            anna.id: PeerAddress(
                address: TestNode.loopback, controlPort: ports.control, bulkPort: ports.bulk, key: next.key)
        ])
        await bert.events.wait(for: .up(anna.id, .control), times: 2)
        #expect(bert.transport.send([2], to: anna.id, on: .control))
        await anna.events.waitForFrames(1)

        // All have confirmed: Anna shows the new one alone, and Bert takes no other.
        var ups = anna.events.count(of: .up(bert.id, .control))
        await anna.transport.retire()
        await anna.events.wait(for: .up(bert.id, .control), times: ups + 1)
        ups = anna.events.count(of: .up(bert.id, .control))
        bert.transport.withdraw(anna.pair.key)
        await anna.events.wait(for: .up(bert.id, .control), times: ups + 1)
        // A machine that stood still may lose a link, and a frame with it: what counts is that one comes.
        await until {
            _ = anna.transport.send([3], to: bert.id, on: .control)
            return bert.events.frames.contains { $0.octets == [3] }
        }
        #expect(Set(bert.events.frames.map(\.peer)) == [anna.id])

        // The old door is shut, also for who still has the old address.
        let late = try TestNode(3)
        await anna.transport.admit(late.pair.key, for: late.id)
        await late.meet(anna)
        await late.events.wait(for: .refused(anna.id))
        for node in [anna, bert, late] { node.transport.shutdown() }
    }

    @Test("a link for mail that is not there while keys change is made with the new ones, both ways")
    func withoutBulkLinks() async throws {
        let (anna, bert) = try await TestNode.couple()
        let next = try LinkKeyPair.generate()
        let ports = try await anna.transport.rotate(to: next)
        await bert.transport.admit(next.key, for: anna.id)
        bert.transport.setPeers([
            anna.id: PeerAddress(
                address: TestNode.loopback, controlPort: ports.control, bulkPort: ports.bulk, key: next.key)
        ])
        await anna.transport.retire()
        bert.transport.withdraw(anna.pair.key)
        await until { bert.transport.statistics.rebinds == 1 }
        // A machine that stood still may lose a link, and a frame with it: what counts is that one comes.
        for (from, to) in [(anna, bert), (bert, anna)] {
            await until {
                _ = from.transport.send([4], to: to.id, on: .bulk)
                return !to.events.frames.isEmpty
            }
            #expect(to.events.frames.allSatisfy { $0.peer == from.id && $0.channel == .bulk })
        }
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("a second change waits until the first is at its end")
    func oneAtATime() async throws {
        let anna = try TestNode(1)
        _ = try await anna.transport.rotate(to: LinkKeyPair.generate())
        let third = try LinkKeyPair.generate()
        await #expect(throws: TransportError.self) { try await anna.transport.rotate(to: third) }
        await anna.transport.retire()
        _ = try await anna.transport.rotate(to: third)
        anna.transport.shutdown()
    }
}
