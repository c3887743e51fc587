internal import COpenSSL

/// HMAC with SHA-256 (RFC 2104) over octets that come in pieces.
package struct HMACSHA256: ~Copyable {
    private var inner = SHA256()
    private let outerBlock: [UInt8]

    private static let blockOctets = 64

    package init(key: [UInt8]) {
        // RFC 2104 §2: a key longer than a block is replaced by its digest.
        var block = key.count > Self.blockOctets ? SHA256.digest(of: key) : key
        block.append(contentsOf: repeatElement(0, count: Self.blockOctets - block.count))
        outerBlock = block.map { $0 ^ 0x5C }
        inner.update(block.map { $0 ^ 0x36 })
    }

    package mutating func update(_ octets: UnsafeRawBufferPointer) { inner.update(octets) }
    package mutating func update(_ octets: [UInt8]) { inner.update(octets) }

    package consuming func finish() -> [UInt8] {
        let digest = inner.finish()
        inner.update(outerBlock)
        inner.update(digest)
        return inner.finish()
    }

    /// The code of octets that are all there.
    package static func code(of octets: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = HMACSHA256(key: key)
        code.update(octets)
        return code.finish()
    }
}

/// A key made of a password by PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2); SCRAM calls it `Hi()` (RFC 5802
/// §2.2).
///
/// Takes about half a microsecond an iteration: not for an event loop.
package func pbkdf2SHA256(password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
    precondition(iterations > 0 && iterations <= Int(CInt.max), "iterations are counted from one")
    return [UInt8](unsafeUninitializedCapacity: SHA256.sizeOctets) { buffer, count in
        let done = password.withUnsafeBytes { password in
            PKCS5_PBKDF2_HMAC(
                password.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(password.count), salt,
                CInt(salt.count), CInt(iterations), EVP_sha256(), CInt(SHA256.sizeOctets), buffer.baseAddress)
        }
        precondition(done == 1, "PBKDF2 with SHA-256 cannot fail")
        count = SHA256.sizeOctets
    }
}

/// Whether two octet strings are the same, in a time that says nothing about where they differ.
///
/// A difference of length is told at once: lengths of codes are no secret.
package func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
