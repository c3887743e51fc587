import MailValues
import Membership
import Testing

@testable import GossipTransport
@testable import RelayNode

@Suite struct FrameDeskTests {
    private func node(_ number: Int) -> NodeID {
        NodeID(octets: [UInt8](repeating: UInt8(number), count: 32))!
    }

    private func frame(_ number: Int, octets: Int = 1) -> LinkFrame {
        LinkFrame(
            peer: node(number), channel: .control, octets: [UInt8](repeating: 0, count: octets), age: .zero)
    }

    @Test("the driver is told once that frames wait, and again after it has found none")
    func rings() {
        let desk = FrameDesk()
        #expect(desk.put(frame(1)))
        #expect(!desk.put(frame(2)))
        #expect(desk.take() != nil && desk.take() != nil && desk.take() == nil)
        #expect(desk.put(frame(1)))
    }

    @Test("a member that floods loses its own frames, and nobody else's")
    func floods() {
        let desk = FrameDesk()
        for _ in 0..<10 * FrameDesk.framesMost { _ = desk.put(frame(1)) }
        #expect(desk.dropped == UInt64(9 * FrameDesk.framesMost))
        for _ in 0..<100 { _ = desk.put(frame(2, octets: FrameDesk.octetsMost / 4)) }
        #expect(desk.dropped == UInt64(9 * FrameDesk.framesMost + 96))
        _ = desk.put(frame(3))
        #expect(desk.dropped == UInt64(9 * FrameDesk.framesMost + 96))
    }

    @Test(
        "whose frames are dear waits until the others' were read, and what it saved up by silence counts for nothing"
    )
    func fairness() {
        let desk = FrameDesk()
        for _ in 0..<50 { _ = desk.put(frame(1)) }
        for number in 2...4 { for _ in 0..<10 { _ = desk.put(frame(number)) } }
        var order: [UInt8] = []
        while let frame = desk.take() {
            order.append(frame.peer.octets[0])
            desk.charge(frame.peer, frame.peer == node(1) ? .milliseconds(100) : .milliseconds(1))
        }
        #expect(order.count == 80)
        #expect(order.prefix(31).count { $0 == 1 } == 1)
        // One that was silent meanwhile comes in where the others are, and not before all that they will say.
        for number in [1, 5] { for _ in 0..<200 { _ = desk.put(frame(number)) } }
        var next: [UInt8] = []
        while let frame = desk.take() {
            next.append(frame.peer.octets[0])
            desk.charge(frame.peer, .milliseconds(1))
        }
        #expect(next.prefix(150).contains(1))
    }

    @Test("of each complaint the first is told at once, and the rest are counted until a minute is over")
    func complaints() {
        var log = RefusalLog()
        #expect(log.count("bent", of: node(1), now: Uptime(milliseconds: 0)) == 1)
        #expect(log.count("bent", of: node(2), now: Uptime(milliseconds: 1)) == 1)
        #expect(log.count("wrong", of: node(1), now: Uptime(milliseconds: 1)) == 1)
        for _ in 0..<1000 { #expect(log.count("bent", of: node(1), now: Uptime(milliseconds: 2)) == nil) }
        #expect(log.count("bent", of: node(1), now: Uptime(milliseconds: 60_000)) == 1001)
        #expect(log.count("bent", of: node(1), now: Uptime(milliseconds: 60_001)) == nil)
    }
}
