internal import CZeroMQ
import MailValues

/// The public half of a CURVE key: what a link shows, and what a member signs for with its identity.
package struct LinkKey: Hashable, Sendable {
    package static let sizeOctets = 32

    package let octets: [UInt8]

    /// Nil unless there are 32 octets.
    package init?(octets: some Collection<UInt8>) {
        guard octets.count == Self.sizeOctets else { return nil }
        self.octets = Array(octets)
    }

    /// Nil unless there are 64 hexadecimal digits.
    package init?(hex: some StringProtocol) {
        guard let words = NodeID(hex: hex) else { return nil }  // of the same size and shape
        octets = words.octets
    }

    package var hex: String { NodeID(octets: octets)?.hex ?? "" }
}

/// Both halves. They are made on the node, and the secret one never leaves it.
package struct LinkKeyPair: Hashable, Sendable {
    package let key: LinkKey
    package let secret: [UInt8]

    /// Nil unless the secret has 32 octets.
    package init?(secret: some Collection<UInt8>) {
        guard secret.count == LinkKey.sizeOctets else { return nil }
        self.secret = Array(secret)
        var secretText = [CChar](repeating: 0, count: Self.textOctets)
        guard zmq_z85_encode(&secretText, self.secret, LinkKey.sizeOctets) != nil else { return nil }
        var publicText = [CChar](repeating: 0, count: Self.textOctets)
        guard zmq_curve_public(&publicText, secretText) == 0 else { return nil }
        var octets = [UInt8](repeating: 0, count: LinkKey.sizeOctets)
        guard zmq_z85_decode(&octets, publicText) != nil, let key = LinkKey(octets: octets) else {
            return nil
        }
        self.key = key
    }

    /// A new pair from the library's own source of chance.
    package static func generate() throws(TransportError) -> LinkKeyPair {
        var publicText = [CChar](repeating: 0, count: textOctets)
        var secretText = [CChar](repeating: 0, count: textOctets)
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw .noEncryption }
        var secret = [UInt8](repeating: 0, count: LinkKey.sizeOctets)
        guard zmq_z85_decode(&secret, secretText) != nil, let pair = LinkKeyPair(secret: secret) else {
            throw .last(during: "read its own key")
        }
        return pair
    }

    /// 32 octets in the library's letters (RFC 32/Z85 of ZeroMQ), with the zero at the end.
    private static let textOctets = 41
}
