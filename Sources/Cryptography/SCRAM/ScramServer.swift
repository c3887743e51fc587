/// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), after the client's first
/// message.
///
/// It costs a few digests: the client bears the iterations.
package struct ScramServer: Sendable {
    /// What the server offered and which of it the client chose.
    package struct Binding: Sendable {
        /// The client began SCRAM-SHA-256-PLUS.
        package var isPlus: Bool
        /// The list of mechanisms that the client saw had the -PLUS variant in it.
        package var wasOffered: Bool
        /// The value of `tls-exporter` (RFC 9266); empty without one.
        package var exporter: [UInt8]

        package init(isPlus: Bool, wasOffered: Bool, exporter: [UInt8]) {
            self.isPlus = isPlus
            self.wasOffered = wasOffered
            self.exporter = exporter
        }
    }

    package static let bindingType = "tls-exporter"
    /// 144 bits of chance.
    package static let nonceOctets = 18

    private let verifier: ScramVerifier
    private let nonce: [UInt8]
    private let bindingInput: [UInt8]
    private let authMessageStart: [UInt8]

    /// What is sent first: nonce, salt, iterations.
    package let firstMessage: [UInt8]

    /// - Parameter entropy: `nonceOctets` that nobody can foretell.
    /// - Throws: `channelBindingMismatch` as RFC 5802 §6 wants it.
    package init(
        _ clientFirst: ScramClientFirst, verifier: ScramVerifier, binding: Binding, entropy: [UInt8]
    ) throws(ScramError) {
        switch clientFirst.bindingFlag {
        case .used(let type):
            // §6: a type that we do not have must fail. §5.1: so must `p` with the plain mechanism.
            guard binding.isPlus, type == Self.bindingType, !binding.exporter.isEmpty else {
                throw .channelBindingMismatch
            }
            bindingInput = clientFirst.header + binding.exporter
        case .notOffered:
            // §6: the client can and thinks that we cannot: somebody took -PLUS out of our list.
            guard !binding.isPlus, !binding.wasOffered else { throw .channelBindingMismatch }
            bindingInput = clientFirst.header
        case .unsupported:
            guard !binding.isPlus else { throw .channelBindingMismatch }
            bindingInput = clientFirst.header
        }
        self.verifier = verifier
        nonce = clientFirst.nonce + Base64.encode(entropy)
        var message = Array("r=".utf8) + nonce
        message.append(contentsOf: ",s=".utf8)
        message.append(contentsOf: Base64.encode(verifier.salt))
        message.append(contentsOf: ",i=\(verifier.iterations)".utf8)
        firstMessage = message
        authMessageStart = clientFirst.bare + [0x2C] + message + [0x2C]
    }

    /// The server's final message, if the client's is right.
    package func finalMessage(answering message: [UInt8]) throws(ScramError) -> [UInt8] {
        let final = try ScramClientFinal(parsing: message)
        guard isEqualInConstantTime(final.channelBinding, bindingInput) else { throw .channelBindingMismatch }
        guard isEqualInConstantTime(final.nonce, nonce) else { throw .nonceMismatch }
        let authMessage = authMessageStart + final.withoutProof
        let clientSignature = HMACSHA256.code(of: authMessage, key: verifier.storedKey)
        let clientKey = zip(final.proof, clientSignature).map { $0 ^ $1 }
        guard isEqualInConstantTime(SHA256.digest(of: clientKey), verifier.storedKey) else { throw .badProof }
        return Array("v=".utf8) + Base64.encode(HMACSHA256.code(of: authMessage, key: verifier.serverKey))
    }
}
