package import Cryptography
package import MailValues

/// The operator's leave to bring one node in at one member's door, before a moment.
///
/// It names a key of its own; who holds the secret half of it proves so by signing, and shows it to nobody. So a
/// doorkeeper that was taken over cannot bring in whom it likes.
package struct Permit: Hashable, Sendable {
    package var cluster: ClusterID
    package var operatorKey: [UInt8]
    package var tokenKey: [UInt8]
    package var doorkeeper: NodeID
    /// Above all numbers that the operator gave before; of several words about a node the highest holds.
    package var number: UInt64
    package var expires: Timestamp
    package var signature: [UInt8]

    package static let lifetimeDefault: Duration = .seconds(3_600)

    func isSigned(by operatorKey: [UInt8]) -> Bool {
        operatorKey == self.operatorKey && Ed25519.verify(signature, of: signedOctets, by: operatorKey)
    }

    fileprivate var signedOctets: [UInt8] {
        var text = SignedText(.permit)
        text.add(cluster.octets)
        text.add(operatorKey)
        text.add(tokenKey)
        text.add(doorkeeper.octets)
        text.add(number)
        text.add(UInt64(clamping: expires.milliseconds))
        return text.octets
    }
}

/// What `chappe join-cmd` prints: a permit, its secret, and by which key to know the member at whose door to knock.
package struct Token: Sendable {
    package let permit: Permit
    package let key: Ed25519PrivateKey
    /// The doorkeeper's link key, 32 octets.
    package let linkKey: [UInt8]

    /// Signs a new one. `number` is above all that this operator gave; milliseconds of his clock do well.
    package init(
        cluster: ClusterID, operator operatorKey: Ed25519PrivateKey, doorkeeper: NodeID, linkKey: [UInt8],
        number: UInt64, expires: Timestamp, using random: inout some RandomNumberGenerator
    ) {
        precondition(linkKey.count == LinkCertificate.keyOctets, "a link key has 32 octets")
        key = Ed25519PrivateKey.generate(using: &random)
        self.linkKey = linkKey
        var permit = Permit(
            cluster: cluster, operatorKey: operatorKey.publicKey, tokenKey: key.publicKey,
            doorkeeper: doorkeeper, number: number, expires: expires, signature: [])
        permit.signature = operatorKey.sign(permit.signedOctets)
        self.permit = permit
    }

    init(permit: Permit, key: Ed25519PrivateKey, linkKey: [UInt8]) {
        self.permit = permit
        self.key = key
        self.linkKey = linkKey
    }
}
