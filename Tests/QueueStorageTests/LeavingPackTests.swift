import QueueEngine
import Testing

@Suite("Frames of leaving in frames of the link") struct LeavingPackTests {
    private static let limits: LeavingLimits = {
        var limits = LeavingLimits()
        limits.packOctets = 100
        limits.frameOctets = 1_000
        return limits
    }()

    private func packed(_ bodies: [[UInt8]]) -> [[UInt8]] {
        var packer = LeavingPacker(limits: Self.limits)
        var frames: [[UInt8]] = []
        for body in bodies { packer.add(body) { frames.append($0) } }
        packer.finish { frames.append($0) }
        return frames
    }

    static let loads: [[Int]] = [
        [], [0], [1], [100], [101], [40, 40, 40], [99, 1, 1], [1_000], [30, 350, 30, 700],
    ]

    @Test(
        "what is packed is unpacked, in order, and no frame is much longer than it may be", arguments: loads)
    func isUnpacked(_ sizes: [Int]) {
        let bodies = sizes.enumerated().map { [UInt8](repeating: UInt8($0 + 1), count: $1) }
        let frames = packed(bodies)
        var unpacker = LeavingUnpacker(limits: Self.limits)
        var unpacked: [[UInt8]] = []
        for frame in frames { unpacked += unpacker.take(frame) ?? [[]] }
        #expect(unpacked == bodies.filter { !$0.isEmpty })
        #expect(frames.allSatisfy { $0.count <= 100 + 40 })
    }

    @Test("a long one of which a part is lost, repeated or late is lost alone", arguments: 0..<4)
    func losesOne(_ part: Int) {
        let bodies = [[UInt8](repeating: 1, count: 350), [UInt8](repeating: 2, count: 350), [3]]
        let frames = packed(bodies)
        #expect(frames.count == 9)
        for change in 0..<3 {
            var bent = frames
            switch change {
            case 0: bent.remove(at: part)
            case 1: bent.insert(frames[part], at: part)
            default: bent.swapAt(part, part + 1)
            }
            var unpacker = LeavingUnpacker(limits: Self.limits)
            let whole = bent.flatMap { unpacker.take($0) ?? [] }
            #expect(whole.last == [3])
            #expect(whole.allSatisfy { bodies.contains($0) })
        }
    }

    @Test("more than a frame of ours may hold is not gathered, and no octets crash")
    func isBounded() {
        var wide = LeavingLimits()
        wide.packOctets = 100
        var packer = LeavingPacker(limits: wide)
        var unpacker = LeavingUnpacker(limits: Self.limits)
        var parts: [[UInt8]] = []
        packer.add([UInt8](repeating: 1, count: 1_001)) { parts.append($0) }
        for part in parts {
            let whole = unpacker.take(part)
            #expect(whole == nil)
        }
        for frame in packed([[UInt8](repeating: 1, count: 150), [2]]) {
            for cut in frame.indices { _ = unpacker.take(Array(frame[..<cut])) }
        }
    }
}
