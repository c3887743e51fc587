import MailValues

/// What stands before the octets of each frame: by it the receiver knows how old the frame is.
///
/// A frame waits in a mailbox, in the library and in two kernels, most of all behind a cut. The sender cannot
/// know for how long, and no two clocks agree; so it says when the frame was handed over by its own clock,
/// and the receiver compares with the quickest frame that it has seen (`AgeGauge`).
struct FrameHeader: Equatable {
    static let version: UInt8 = 1
    static let sizeOctets = 16

    /// Drawn at the sender's start: stamps of another start are of another clock.
    var start: UInt32
    /// When the sender was handed the frame, in milliseconds of its clock.
    var stamp: UInt64

    init(start: UInt32, stamp: UInt64) {
        self.start = start
        self.stamp = stamp
    }

    /// Nil for what is no frame of ours, or of a version that we do not know.
    init?(_ octets: UnsafeRawBufferPointer) {
        guard octets.count >= Self.sizeOctets, octets[0] == Self.version,
            octets[1] == 0, octets[2] == 0, octets[3] == 0
        else { return nil }
        start = UInt32(bigEndian: octets.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        stamp = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    var octets: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.sizeOctets) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.storeBytes(of: UInt32(Self.version).littleEndian, as: UInt32.self)
            raw.storeBytes(of: start.bigEndian, toByteOffset: 4, as: UInt32.self)
            raw.storeBytes(of: stamp.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = Self.sizeOctets
        }
    }
}

/// How old frames of one sender are, measured against the quickest of them.
///
/// The quickest of the current and the last window counts, so that clocks that drift apart (0.1 ms a second
/// is much) do not age what is fresh. Windows turn only when frames come: what was queued behind a cut of an
/// hour is still compared with what came before it.
struct AgeGauge {
    static let window: Int64 = 60_000

    private let start: UInt32
    private var current: Int64
    private var last: Int64
    private var turned: Int64

    /// `header` and `now` of the first frame, which counts as fresh: there is nothing to compare it with.
    init(_ header: FrameHeader, now: Uptime) {
        start = header.start
        current = Self.offset(header, now)
        last = current
        turned = now.milliseconds
    }

    func isOf(_ header: FrameHeader) -> Bool { start == header.start }

    mutating func age(_ header: FrameHeader, now: Uptime) -> Duration {
        let offset = Self.offset(header, now)
        if now.milliseconds &- turned > Self.window {
            last = current
            current = offset
            turned = now.milliseconds
        }
        current = min(current, offset)
        return .milliseconds(max(0, offset &- min(current, last)))
    }

    /// Two clocks and the way between them; what it is does not matter, only by how much it grows.
    private static func offset(_ header: FrameHeader, _ now: Uptime) -> Int64 {
        now.milliseconds &- Int64(truncatingIfNeeded: header.stamp)
    }
}
