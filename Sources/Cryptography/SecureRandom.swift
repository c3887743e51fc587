internal import COpenSSL

/// Chance that nobody can foretell, from OpenSSL's generator.
package struct SecureRandom: RandomNumberGenerator, Sendable {
    package init() {}

    package mutating func next() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { Self.fill($0) }
        return value
    }

    package mutating func octets(count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            Self.fill(UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    private static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        let done = RAND_bytes(buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(buffer.count))
        // Without chance there are no secrets, and every reply we could give would be a weaker one.
        precondition(done == 1, "the system gives no entropy")
    }
}
