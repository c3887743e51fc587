/// What a server keeps instead of a password (RFC 5802 §3): enough to check a proof, not enough to give one.
package struct ScramVerifier: Sendable, Equatable {
    package let salt: [UInt8]
    package let iterations: Int
    package let storedKey: [UInt8]
    package let serverKey: [UInt8]

    /// What we ask of a new password, about five milliseconds (RFC 7677 §4).
    package static let iterationsDefault = 15_000
    /// RFC 7677 §4.
    package static let iterationsLeast = 4_096
    /// About a third of a second. More would be an attack: a server's on its client, or an operator's slip.
    package static let iterationsMost = 1_000_000
    package static let saltOctets = 16

    package init?(salt: [UInt8], iterations: Int, storedKey: [UInt8], serverKey: [UInt8]) {
        guard !salt.isEmpty, salt.count <= 64,
            (Self.iterationsLeast...Self.iterationsMost).contains(iterations),
            storedKey.count == SHA256.sizeOctets, serverKey.count == SHA256.sizeOctets
        else { return nil }
        self.salt = salt
        self.iterations = iterations
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Of a password that `OpaqueString` has prepared. Slow by intent: not for an event loop.
    package init(password: [UInt8], salt: [UInt8], iterations: Int = Self.iterationsDefault) {
        let keys = ScramKeys(password: password, salt: salt, iterations: iterations)
        self.salt = salt
        self.iterations = iterations
        storedKey = SHA256.digest(of: keys.clientKey)
        serverKey = keys.serverKey
    }

    /// For a name that does not exist: as stable as a real one, so that nobody learns which names do.
    package init(decoyFor name: String, secret: [UInt8], iterations: Int) {
        func derived(_ purpose: String) -> [UInt8] {
            HMACSHA256.code(of: Array("\(purpose)\0\(name)".utf8), key: secret)
        }
        salt = Array(derived("decoy salt").prefix(Self.saltOctets))
        self.iterations = iterations
        storedKey = derived("decoy stored key")
        serverKey = derived("decoy server key")
    }

    /// Whether this is the password, which `OpaqueString` has prepared. Slow by intent.
    package func accepts(password: [UInt8]) -> Bool {
        let keys = ScramKeys(password: password, salt: salt, iterations: iterations)
        return isEqualInConstantTime(SHA256.digest(of: keys.clientKey), storedKey)
    }
}

/// The two keys that a password gives (RFC 5802 §3).
struct ScramKeys {
    let clientKey: [UInt8]
    let serverKey: [UInt8]

    init(password: [UInt8], salt: [UInt8], iterations: Int) {
        let salted = pbkdf2SHA256(password: password, salt: salt, iterations: iterations)
        clientKey = HMACSHA256.code(of: Array("Client Key".utf8), key: salted)
        serverKey = HMACSHA256.code(of: Array("Server Key".utf8), key: salted)
    }
}
