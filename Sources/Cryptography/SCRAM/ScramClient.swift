/// The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677).
package struct ScramClient: Sendable {
    package enum Binding: Sendable, Equatable {
        /// No TLS, or TLS without a value: we cannot.
        case unsupported
        /// We could, but the server does not offer it.
        case notOffered
        /// With -PLUS: the value of `tls-exporter` (RFC 9266).
        case exporter([UInt8])
    }

    private enum State {
        case begun
        case proven(serverSignature: [UInt8])
        case finished
    }

    private var state = State.begun
    private let password: [UInt8]
    private let nonce: [UInt8]
    private let header: [UInt8]
    private let bindingData: [UInt8]
    private let bare: [UInt8]

    package static let nonceOctets = 18

    /// - Parameters:
    ///   - name, password: prepared by `PreparedName` and `OpaqueString`.
    ///   - entropy: `nonceOctets` that nobody can foretell.
    package init(name: String, password: String, binding: Binding, entropy: [UInt8]) {
        self.password = Array(password.utf8)
        nonce = Base64.encode(entropy)
        switch binding {
        case .unsupported: (header, bindingData) = (Array("n,,".utf8), [])
        case .notOffered: (header, bindingData) = (Array("y,,".utf8), [])
        case .exporter(let value):
            (header, bindingData) = (Array("p=\(ScramServer.bindingType),,".utf8), value)
        }
        bare = Array("n=".utf8) + ScramName.encode(Array(name.utf8)) + Array(",r=".utf8) + nonce
    }

    /// The initial response.
    package var firstMessage: [UInt8] { header + bare }

    /// The answer to what the server said: the proof to its first message, nothing to its last.
    ///
    /// The first call takes as long as the server's iterations.
    package mutating func respond(to message: [UInt8]) throws(ScramError) -> [UInt8] {
        switch state {
        case .begun: return try prove(message)
        case .proven(let signature):
            try check(message, against: signature)
            state = .finished
            return []
        case .finished: throw .malformed
        }
    }

    /// Whether the server has shown that it knows us. Without this a 235 proves nothing.
    package var isServerVerified: Bool { if case .finished = state { true } else { false } }

    private mutating func prove(_ message: [UInt8]) throws(ScramError) -> [UInt8] {
        let first = try ScramServerFirst(parsing: message)
        guard first.nonce.count > nonce.count, first.nonce.starts(with: nonce) else { throw .nonceMismatch }
        guard (ScramVerifier.iterationsLeast...ScramVerifier.iterationsMost).contains(first.iterations) else {
            throw .badIterations
        }
        let keys = ScramKeys(password: password, salt: first.salt, iterations: first.iterations)
        var final = Array("c=".utf8) + Base64.encode(header + bindingData)
        final.append(contentsOf: ",r=".utf8)
        final.append(contentsOf: first.nonce)
        let authMessage = bare + [0x2C] + message + [0x2C] + final
        let signature = HMACSHA256.code(of: authMessage, key: SHA256.digest(of: keys.clientKey))
        let proof = zip(keys.clientKey, signature).map { $0 ^ $1 }
        state = .proven(serverSignature: HMACSHA256.code(of: authMessage, key: keys.serverKey))
        return final + Array(",p=".utf8) + Base64.encode(proof)
    }

    private func check(_ message: [UInt8], against signature: [UInt8]) throws(ScramError) {
        guard message.count <= ScramLimits.messageOctets,
            let first = ScramAttribute.all(in: message[...])?.first
        else { throw .malformed }
        switch first.letter {
        case 0x65:
            let reason = first.value.prefix(64).map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }
            throw .serverRefused(String(decoding: reason, as: UTF8.self))
        case 0x76:
            guard let value = Base64.decode(first.value, limit: SHA256.sizeOctets),
                isEqualInConstantTime(value, signature)
            else { throw .badServerSignature }
        default: throw .malformed
        }
    }
}
