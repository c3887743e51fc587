internal import Convergence
package import Cryptography
package import MailValues

/// What an operator orders about. The number travels, and belongs to the kind for ever; which payload it has
/// and what it does is for the engine that it concerns.
package struct OrderKind: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// A member is gone for good. The subject of this and the next two is its id.
    package static let eviction = OrderKind(rawValue: 1)
    /// A member takes no new mail; lifted, it does again.
    package static let drain = OrderKind(rawValue: 2)
    /// A member gives its queue to the others and goes; lifted, it stays.
    package static let leave = OrderKind(rawValue: 3)
    /// A network or an account is blocked for all nodes; lifted, it is released and no node's own block of it counts.
    package static let block = OrderKind(rawValue: 16)
    /// A fingerprint is condemned by hand.
    package static let verdict = OrderKind(rawValue: 17)
    /// What was said of a fingerprint, or by a node, is taken back.
    package static let revocation = OrderKind(rawValue: 18)
}

/// The word of the operator, signed with his key. Obeyed alone, by whomever it was brought.
///
/// Of several about the same subject the one with the highest number holds, so an order is lifted by a newer
/// one and never by being forgotten.
package struct Order: Hashable, Sendable {
    package struct Subject: Hashable, Sendable {
        package var kind: OrderKind
        package var octets: [UInt8]

        package init(_ kind: OrderKind, _ octets: [UInt8]) {
            self.kind = kind
            self.octets = octets
        }
    }

    package var subject: Subject
    /// Above all that the operator ever gave; milliseconds of his clock when he signed do well.
    package var number: UInt64
    /// Whether it takes back what an older one of this subject ordered.
    package var isLifted: Bool
    /// Which of the operators it was, as they are known to each other.
    package var by: String
    package var reason: String
    package var payload: [UInt8]
    /// A moment and not a lifetime: an order outlives restarts, and is said anew by nodes that did not see it
    /// begin. Nil: until a newer one.
    package var expires: Timestamp?
    package var signature: [UInt8]

    package static let subjectOctetsLongest = 260
    package static let payloadOctetsLongest = 48 * 1024
    package static let textOctetsLongest = 512

    /// Signs an order; nil if a part of it is longer than orders may be.
    package init?(
        _ subject: Subject, number: UInt64, isLifted: Bool = false, by: String, reason: String,
        payload: [UInt8] = [], expires: Timestamp? = nil, cluster: ClusterID, key: Ed25519PrivateKey
    ) {
        self.init(
            unsigned: subject, number: number, isLifted: isLifted, by: by, reason: reason, payload: payload,
            expires: expires)
        guard isWithinBounds else { return nil }
        signature = key.sign(signed(in: cluster))
    }

    init(
        unsigned subject: Subject, number: UInt64, isLifted: Bool, by: String, reason: String,
        payload: [UInt8], expires: Timestamp?
    ) {
        self.subject = subject
        self.number = number
        self.isLifted = isLifted
        self.by = by
        self.reason = reason
        self.payload = payload
        self.expires = expires
        signature = []
    }

    var isWithinBounds: Bool {
        subject.octets.count <= Self.subjectOctetsLongest && payload.count <= Self.payloadOctetsLongest
            && by.utf8.count <= Self.textOctetsLongest && reason.utf8.count <= Self.textOctetsLongest
    }

    /// Whether the holder of the cluster's operator key gave it, for this cluster.
    package func isSigned(by operatorKey: [UInt8], in cluster: ClusterID) -> Bool {
        Ed25519.verify(signature, of: signed(in: cluster), by: operatorKey)
    }

    private func signed(in cluster: ClusterID) -> [UInt8] {
        var text = SignedText(.order)
        text.add(cluster.octets)
        text.add(UInt64(subject.kind.rawValue))
        text.add(subject.octets)
        text.add(fields.octets)
        return text.octets
    }

    /// All but subject and signature.
    var fields: FieldWriter {
        var writer = FieldWriter()
        writer.number(1, number)
        writer.number(2, isLifted ? 1 : 0)
        writer.bytes(3, by.utf8)
        writer.bytes(4, reason.utf8)
        writer.bytes(5, payload)
        writer.number(6, expires.map { UInt64(clamping: max(1, $0.milliseconds)) } ?? 0)
        return writer
    }
}
