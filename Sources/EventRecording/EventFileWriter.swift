import Glibc

/// An open file that grows at its end, closed when its owner ends.
struct EventFileWriter: ~Copyable {
    private var descriptor: CInt
    /// A write broke off in the middle of a line.
    private var isTorn = false

    init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { _ = Glibc.close(descriptor) }

    mutating func replace(descriptor new: CInt) {
        _ = Glibc.close(descriptor)
        descriptor = new
        isTorn = false
    }

    /// False: not all of it could be written (a full disk, for instance); the next write begins on a line of
    /// its own.
    mutating func write(_ octets: [UInt8]) -> Bool {
        guard !octets.isEmpty else { return true }
        if isTorn {
            guard put([0x0A]) == 1 else { return false }
            isTorn = false
        }
        let written = put(octets)
        if written > 0 { isTorn = octets[written - 1] != 0x0A }
        return written == octets.count
    }

    /// How many octets went out before the end or an error.
    private func put(_ octets: [UInt8]) -> Int {
        octets.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { break }
                done += count
            }
            return done
        }
    }
}
