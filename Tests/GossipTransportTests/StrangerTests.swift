import Foundation
import MailValues
import Membership
import Testing

@testable import GossipTransport

@Suite("Strangers", .timeLimit(.minutes(2)))
struct StrangerTests {
    @Test("a key that was not admitted gets no frame across, and hears that it is not wanted")
    func unadmitted() async throws {
        let (anna, bert) = (try TestNode(1), try TestNode(2))
        await bert.meet(anna)
        await bert.events.wait(for: .turnedAway(anna.id))
        #expect(anna.transport.statistics.strangers > 0)
        #expect(bert.events.all.allSatisfy { $0 != .up(anna.id, .control) })
        // It goes on asking, slowly; once admitted it is in.
        await anna.transport.admit(bert.pair.key, for: bert.id)
        await bert.events.wait(for: .up(anna.id, .control))
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("whoever listens in a member's place under another key hears nothing")
    func impostor() async throws {
        let (anna, bert) = (try TestNode(1), try TestNode(2))
        await bert.meet(anna)
        var address = bert.address
        address.key = try LinkKeyPair.generate().key
        await anna.transport.admit(bert.pair.key, for: bert.id)
        anna.transport.setPeers([bert.id: address])
        await until { bert.transport.statistics.handshakesFailed > 2 }
        #expect(!anna.events.all.contains(.up(bert.id, .control)))
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test("nothing is ever spoken in the clear: a link without encryption does not come about")
    func clear() async throws {
        let anna = try TestNode(1)
        // Whose mechanism is another makes no second attempt on the same connection.
        for _ in 0..<2 {
            let before = anna.transport.statistics.handshakesFailed
            let raw = try RawLink(to: anna, as: nil)
            raw.send(RawLink.frame(stamp: 1, [1]))
            await until { anna.transport.statistics.handshakesFailed > before }
        }
        #expect(anna.events.all.isEmpty)
        #expect(anna.transport.statistics.control.framesReceived == 0)
        anna.transport.shutdown()
    }

    @Test("a member's key on one link gives no other name, whatever a frame claims")
    func nameIsTheKeys() async throws {
        let (anna, bert) = (try TestNode(1), try TestNode(2))
        let pair = try LinkKeyPair.generate()
        await anna.transport.admit(pair.key, for: bert.id)
        #expect(await !anna.transport.admit(pair.key, for: anna.id))
        let raw = try RawLink(to: anna, as: pair)
        raw.send(RawLink.frame(stamp: 1, anna.id.octets))
        await anna.events.waitForFrames(1)
        #expect(anna.events.frames[0].peer == bert.id)
        anna.transport.shutdown()
        bert.transport.shutdown()
    }

    @Test(
        "† an evicted member's connections end, no frame of it comes through, and the others are back at once"
    )
    func eviction() async throws {
        let (anna, bert) = try await TestNode.couple()
        let carl = try TestNode(3)
        await anna.transport.admit(carl.pair.key, for: carl.id)
        await carl.meet(anna)
        await carl.events.wait(for: .up(anna.id, .control))
        for each in [bert, carl] {
            #expect(each.transport.send([1], to: anna.id, on: .bulk))
            await each.events.wait(for: .up(anna.id, .bulk))
        }
        await anna.events.waitForFrames(2)

        anna.transport.evict(carl.id)
        await carl.events.wait(for: .down(anna.id, .control))
        await carl.events.wait(for: .down(anna.id, .bulk))
        await carl.events.wait(for: .turnedAway(anna.id))
        await bert.events.wait(for: .up(anna.id, .control), times: 2)
        await bert.events.wait(for: .up(anna.id, .bulk), times: 2)
        #expect(bert.transport.send([7], to: anna.id, on: .control))
        // Nor a frame that makes its link only now.
        #expect(carl.transport.send([8], to: anna.id, on: .bulk))
        await anna.events.waitForFrames(3)
        #expect(anna.events.frames.dropFirst(2).map(\.peer) == [bert.id])
        #expect(anna.transport.statistics.rebinds == 1)
        for node in [anna, bert, carl] { node.transport.shutdown() }
    }

    @Test("junk from a member is refused and counted, and takes no memory")
    func junk() async throws {
        let anna = try TestNode(1)
        let pair = try LinkKeyPair.generate()
        await anna.transport.admit(pair.key, for: NodeID(octets: [UInt8](repeating: 2, count: 32))!)
        let raw = try RawLink(to: anna, as: pair)
        let kinds: [[UInt8]] = [
            [], [1], [UInt8](repeating: 0xFF, count: 100), [2] + [UInt8](repeating: 0, count: 30),
        ]
        // CHAPPE_JUNK_FRAMES=10000000 makes a trial of it.
        let wanted = ProcessInfo.processInfo.environment["CHAPPE_JUNK_FRAMES"].flatMap { Int($0) }
        let rounds = (wanted ?? 20_000) / kinds.count
        var residentEarly = 0
        for round in 0..<rounds {
            for junk in kinds { while raw.socket.sendLast([junk]) == .full { await Task.yield() } }
            if round == rounds / 10 { residentEarly = residentOctets() }
        }
        await until { anna.transport.statistics.control.dropped.malformed == rounds * kinds.count }
        #expect(anna.events.all.isEmpty)
        if wanted != nil {
            // Alone in its process the trial can say so; other tests take memory of their own.
            print("resident: \(residentEarly >> 10) KiB at a tenth, \(residentOctets() >> 10) KiB at the end")
            #expect(residentOctets() < residentEarly + 4 << 20)
        }
        // A message of many parts is one piece of junk.
        _ = raw.socket.sendPart([1])
        _ = raw.socket.sendPart([2])
        raw.send(RawLink.frame(stamp: 1, [3]))
        raw.send(RawLink.frame(stamp: 1, [4]))
        await anna.events.waitForFrames(1)
        #expect(anna.events.frames.map(\.octets) == [[4]])
        anna.transport.shutdown()
    }

    @Test("a frame beyond the bound ends the connection that it came by")
    func tooLong() async throws {
        let anna = try TestNode(1)
        let pair = try LinkKeyPair.generate()
        await anna.transport.admit(pair.key, for: NodeID(octets: [UInt8](repeating: 2, count: 32))!)
        let raw = try RawLink(to: anna, as: pair)
        raw.send([UInt8](repeating: 0, count: (1 << 20) + 1000))
        raw.wait { if case .disconnected = $0 { true } else { false } }
        #expect(anna.transport.statistics.control.dropped.malformed == 0)
        anna.transport.shutdown()
    }

    @Test("† what was queued behind a cut is dropped as stale when it comes after all")
    func stale() async throws {
        let anna = try TestNode(1)
        let pair = try LinkKeyPair.generate()
        await anna.transport.admit(pair.key, for: NodeID(octets: [UInt8](repeating: 2, count: 32))!)
        let raw = try RawLink(to: anna, as: pair)
        raw.send(RawLink.frame(stamp: 100_000, [1]))
        // Handed over ten seconds before the first, and comes after it.
        raw.send(RawLink.frame(stamp: 90_000, [2]))
        raw.send(RawLink.frame(stamp: 99_000, [3]))
        raw.send(RawLink.frame(start: 8, stamp: 5, [4]))  // another start has another clock
        await anna.events.waitForFrames(3)
        #expect(anna.events.frames.map(\.octets) == [[1], [3], [4]])
        #expect(anna.events.frames[1].age >= .seconds(1))
        #expect(anna.transport.statistics.control.dropped.stale == 1)
        anna.transport.shutdown()
    }
}

private func residentOctets() -> Int {
    let words =
        (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return words.count > 1 ? (Int(words[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
}
