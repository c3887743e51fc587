import MailValues
import Membership
import Testing

@testable import GossipTransport

@Suite("The age of frames")
struct AgeTests {
    private func header(_ stamp: UInt64) -> FrameHeader { FrameHeader(start: 1, stamp: stamp) }
    private func at(_ milliseconds: Int64) -> Uptime { Uptime(milliseconds: milliseconds) }

    @Test("a header comes back as it was written, and anything else is none")
    func header() {
        let header = FrameHeader(start: 0xDEAD_BEEF, stamp: 0x0123_4567_89AB_CDEF)
        let octets = header.octets
        #expect(octets.withUnsafeBytes { FrameHeader($0) } == header)
        for count in 0..<FrameHeader.sizeOctets {
            #expect(octets.prefix(count).withUnsafeBytes { FrameHeader($0) } == nil)
        }
        for index in 0..<4 {
            var other = octets
            other[index] ^= 2
            #expect(other.withUnsafeBytes { FrameHeader($0) } == nil)
        }
    }

    @Test("age is how much longer a frame took than the quickest, whatever the two clocks say")
    func againstTheQuickest() {
        var gauge = AgeGauge(header(1_000_000), now: at(50))
        #expect(gauge.age(header(1_000_100), now: at(160)) == .milliseconds(10))
        #expect(gauge.age(header(1_000_200), now: at(240)) == .zero)  // ten quicker than the first
        #expect(gauge.age(header(1_000_300), now: at(350)) == .milliseconds(10))
    }

    @Test("what was queued behind a long cut is as old as it is, and the first fresh frame is fresh")
    func afterACut() {
        var gauge = AgeGauge(header(0), now: at(0))
        #expect(gauge.age(header(1000), now: at(3_601_000)) == .seconds(3600))
        #expect(gauge.age(header(3_601_000), now: at(3_601_001)) == .milliseconds(1))
    }

    @Test("clocks that drift apart do not make fresh frames old")
    func drift() {
        var gauge = AgeGauge(header(0), now: at(0))
        var oldest: Duration = .zero
        for second in 1...86_400 {  // the receiver's clock runs 0.1 ms a second ahead
            let sent = UInt64(second) * 1000
            oldest = max(oldest, gauge.age(header(sent), now: at(Int64(sent) + Int64(second) / 10)))
        }
        #expect(oldest < .milliseconds(20))
    }

    @Test("no stamp, however absurd, ends the process")
    func absurd() {
        var gauge = AgeGauge(header(.max), now: at(.max))
        for stamp: UInt64 in [0, 1, .max, 1 << 63, 1 << 63 - 1] {
            for now: Int64 in [0, 1, .max, .min] { _ = gauge.age(header(stamp), now: at(now)) }
        }
    }
}
