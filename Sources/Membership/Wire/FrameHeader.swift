/// What stands before the octets of each frame: by it the receiver knows how old the frame is.
///
/// A frame waits in a mailbox, in the library and in two kernels, most of all behind a cut. The sender cannot
/// know for how long, and no two clocks agree; so it says when the frame was handed over by its own clock,
/// and the receiver compares with the quickest frame that it has seen.
package struct FrameHeader: Equatable {
    package static let version: UInt8 = 1
    package static let sizeOctets = 16

    /// Drawn at the sender's start: stamps of another start are of another clock.
    package var start: UInt32
    /// When the sender was handed the frame, in milliseconds of its clock.
    package var stamp: UInt64

    package init(start: UInt32, stamp: UInt64) {
        self.start = start
        self.stamp = stamp
    }

    /// Nil for what is no frame of ours, or of a version that we do not know.
    package init?(_ octets: UnsafeRawBufferPointer) {
        guard octets.count >= Self.sizeOctets, octets[0] == Self.version,
            octets[1] == 0, octets[2] == 0, octets[3] == 0
        else { return nil }
        start = UInt32(bigEndian: octets.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        stamp = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    package var octets: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.sizeOctets) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.storeBytes(of: UInt32(Self.version).littleEndian, as: UInt32.self)
            raw.storeBytes(of: start.bigEndian, toByteOffset: 4, as: UInt32.self)
            raw.storeBytes(of: stamp.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = Self.sizeOctets
        }
    }
}
