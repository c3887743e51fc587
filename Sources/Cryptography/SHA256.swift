internal import COpenSSL

/// SHA-256 over octets that come in pieces (FIPS 180-4).
package struct SHA256: ~Copyable {
    package static let sizeOctets = 32

    private let raw: OpaquePointer

    /// Fetched once: each look-up by name takes a lock that all threads share.
    nonisolated(unsafe) private static let algorithm: OpaquePointer = {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            fatalError("OpenSSL offers no SHA-256")
        }
        return algorithm  // immutable and counted: any thread may use it (EVP_MD_fetch(3))
    }()

    package init() {
        guard let raw = EVP_MD_CTX_new() else { fatalError("no memory for a digest") }
        self.raw = raw
        restart()
    }

    deinit { EVP_MD_CTX_free(raw) }

    package mutating func update(_ octets: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(raw, octets.baseAddress, octets.count)
        precondition(done == 1, "a digest that was begun takes octets")
    }

    package mutating func update(_ octets: [UInt8]) { octets.withUnsafeBytes { update($0) } }
    package mutating func update(_ octets: ArraySlice<UInt8>) { octets.withUnsafeBytes { update($0) } }

    /// The digest of all that came; the next octet begins a new one.
    package mutating func finish() -> [UInt8] {
        let digest = [UInt8](unsafeUninitializedCapacity: Self.sizeOctets) { buffer, count in
            let done = EVP_DigestFinal_ex(raw, buffer.baseAddress, nil)
            precondition(done == 1, "a digest that was begun ends")
            count = Self.sizeOctets
        }
        restart()
        return digest
    }

    private mutating func restart() {
        let done = EVP_DigestInit_ex(raw, Self.algorithm, nil)
        precondition(done == 1, "SHA-256 can always begin")
    }

    /// The digest of octets that are all there.
    package static func digest(of octets: [UInt8]) -> [UInt8] {
        var digest = SHA256()
        digest.update(octets)
        return digest.finish()
    }
}
