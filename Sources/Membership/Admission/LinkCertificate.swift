package import Cryptography
package import MailValues

/// A node's word that this is the key of its links. Of two, the one with the higher serial is newer.
package struct LinkCertificate: Hashable, Sendable {
    package var node: NodeID
    /// A CURVE key, 32 octets.
    package var linkKey: [UInt8]
    package var serial: UInt64
    package var signature: [UInt8]

    package static let keyOctets = 32

    package init(linkKey: [UInt8], serial: UInt64, by identity: Ed25519PrivateKey, in cluster: ClusterID) {
        self.init(node: identity.node, linkKey: linkKey, serial: serial, signature: [])
        signature = identity.sign(signedOctets(cluster))
    }

    init(node: NodeID, linkKey: [UInt8], serial: UInt64, signature: [UInt8]) {
        self.node = node
        self.linkKey = linkKey
        self.serial = serial
        self.signature = signature
    }

    package func isSigned(in cluster: ClusterID) -> Bool {
        linkKey.count == Self.keyOctets && Ed25519.verify(signature, of: signedOctets(cluster), by: node)
    }

    private func signedOctets(_ cluster: ClusterID) -> [UInt8] {
        var text = SignedText(.linkKey)
        text.add(cluster.octets)
        text.add(node.octets)
        text.add(linkKey)
        text.add(serial)
        return text.octets
    }
}

/// The link keys that a node accepts: of each member the newest, and the one before until all have confirmed.
package struct LinkKeyRing: Sendable {
    private struct Keys: Sendable {
        var newest: LinkCertificate
        var before: LinkCertificate?
    }

    private let cluster: ClusterID
    private var keys: [NodeID: Keys] = [:]

    package init(cluster: ClusterID) { self.cluster = cluster }

    /// Accepts a newer key of a member at once. False: not its word, or not newer.
    package mutating func take(_ certificate: LinkCertificate) -> Bool {
        if let held = keys[certificate.node]?.newest, certificate.serial <= held.serial { return false }
        // One key, one member: else who is evicted could lend his place.
        guard certificate.isSigned(in: cluster),
            owner(of: certificate.linkKey) ?? certificate.node == certificate.node
        else { return false }
        keys[certificate.node] = Keys(newest: certificate, before: keys[certificate.node]?.newest)
        return true
    }

    /// The older key goes: everybody has the newer one.
    package mutating func confirmed(_ node: NodeID) { keys[node]?.before = nil }

    package mutating func forget(_ node: NodeID) { keys[node] = nil }

    package func newest(of node: NodeID) -> LinkCertificate? { keys[node]?.newest }

    /// Keys by which this member may link now, the newest first.
    package func accepted(of node: NodeID) -> [[UInt8]] {
        guard let held = keys[node] else { return [] }
        return [held.newest.linkKey] + (held.before.map { [$0.linkKey] } ?? [])
    }

    /// To whom a link with this key belongs.
    package func owner(of linkKey: [UInt8]) -> NodeID? {
        keys.first { $0.value.newest.linkKey == linkKey || $0.value.before?.linkKey == linkKey }?.key
    }

    /// All keys that may link now.
    package var accepted: [(node: NodeID, linkKey: [UInt8])] {
        keys.flatMap { node, keys in
            [keys.newest, keys.before].compactMap { $0 }.map { (node, $0.linkKey) }
        }
    }
}
