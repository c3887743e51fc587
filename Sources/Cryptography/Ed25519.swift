internal import COpenSSL
package import MailValues

/// Signatures by Ed25519 (RFC 8032 §5.1, the pure form without a context), over EVP.
///
/// A signature says nothing about what for: whoever signs begins the message with a text that no other use
/// begins with.
package enum Ed25519 {
    package static let publicKeyOctets = 32
    package static let seedOctets = 32
    package static let signatureOctets = 64

    /// Whether the holder of `publicKey` signed exactly this message. Takes about 0.1 ms.
    ///
    /// Octets of a wrong length, and a scalar that is not reduced (RFC 8032 §5.1.7), are no signature.
    package static func verify(
        _ signature: some Collection<UInt8>, of message: [UInt8], by publicKey: some Collection<UInt8>
    ) -> Bool {
        guard signature.count == signatureOctets, publicKey.count == publicKeyOctets else { return false }
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, Array(publicKey), publicKeyOctets)
        else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { fatalError("no memory for a signature") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        let verdict = EVP_DigestVerify(
            context, Array(signature), signatureOctets, message, message.count)
        if verdict != 1 { ERR_clear_error() }  // the queue of errors belongs to the thread, and TLS reads it
        return verdict == 1
    }

    /// The same where the key is a node's identity.
    package static func verify(
        _ signature: some Collection<UInt8>, of message: [UInt8], by node: NodeID
    ) -> Bool {
        verify(signature, of: message, by: node.octets)
    }
}

/// A key that signs: a node's identity, or the operator's.
package struct Ed25519PrivateKey: Sendable, Equatable {
    /// The 32 octets from which all else follows (RFC 8032 §5.1.5). Secret.
    package let seed: [UInt8]
    /// The 32 octets by which others know the key.
    package let publicKey: [UInt8]
    private let handle: Handle

    /// Nil unless there are 32 octets.
    package init?(seed: some Collection<UInt8>) {
        guard seed.count == Ed25519.seedOctets else { return nil }
        self.seed = Array(seed)
        handle = Handle(seed: self.seed)
        publicKey = handle.publicKey()
    }

    /// A new key. What foretells `random` knows the key: outside of tests it is `SecureRandom`.
    package static func generate(using random: inout some RandomNumberGenerator) -> Ed25519PrivateKey {
        let seed = (0..<Ed25519.seedOctets).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        guard let key = Ed25519PrivateKey(seed: seed) else { fatalError("a seed of the right length") }
        return key
    }

    package static func generate() -> Ed25519PrivateKey {
        var random = SecureRandom()
        return generate(using: &random)
    }

    /// The node whose identity this key is.
    package var node: NodeID {
        guard let node = NodeID(octets: publicKey) else { fatalError("a public key has 32 octets") }
        return node
    }

    /// The 64 octets of the signature; the same message gives the same ones.
    package func sign(_ message: [UInt8]) -> [UInt8] { handle.sign(message) }

    package static func == (left: Ed25519PrivateKey, right: Ed25519PrivateKey) -> Bool {
        left.publicKey == right.publicKey
    }

    /// OpenSSL's form of the key. Immutable once made and counted: any thread may sign with it, each with a
    /// context of its own (openssl-threads(7)).
    private final class Handle: @unchecked Sendable {
        private let raw: OpaquePointer

        init(seed: [UInt8]) {
            guard let raw = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
                fatalError("OpenSSL offers no Ed25519")
            }
            self.raw = raw
        }

        deinit { EVP_PKEY_free(raw) }

        func publicKey() -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: Ed25519.publicKeyOctets) { buffer, count in
                count = Ed25519.publicKeyOctets
                let done = EVP_PKEY_get_raw_public_key(raw, buffer.baseAddress, &count)
                precondition(done == 1 && count == Ed25519.publicKeyOctets, "a private key has a public one")
            }
        }

        func sign(_ message: [UInt8]) -> [UInt8] {
            guard let context = EVP_MD_CTX_new() else { fatalError("no memory for a signature") }
            defer { EVP_MD_CTX_free(context) }
            let begun = EVP_DigestSignInit(context, nil, nil, nil, raw)
            precondition(begun == 1, "Ed25519 can always begin")
            return [UInt8](unsafeUninitializedCapacity: Ed25519.signatureOctets) { buffer, count in
                count = Ed25519.signatureOctets
                let done = EVP_DigestSign(context, buffer.baseAddress, &count, message, message.count)
                precondition(done == 1 && count == Ed25519.signatureOctets, "Ed25519 signs any message")
            }
        }
    }
}

extension Ed25519PrivateKey: CustomStringConvertible {
    /// Never the secret, wherever it may be printed.
    package var description: String { "key of \(node)" }
}
