package import Convergence
package import MailValues

/// What an operator takes back: what was said up to these versions counts for nothing, and until the order is
/// over no node's own judgement of the subject counts.
///
/// It is the payload of an order, so it travels and is verified as one. The versions say what it covers: a
/// word that was underway when the operator spoke is not what he took back, and is bound all the same.
package struct Revocation: Sendable, Equatable {
    package enum Subject: Sendable, Hashable {
        /// All that nodes said of one fingerprint.
        case fingerprint(Fingerprint)
        /// All judgements of one node.
        case origin(NodeID)
    }

    package var subject: Subject
    package var covered: [NodeID: Version]

    /// Origins in one revocation.
    package static let originsLongest = 1024

    package init(_ subject: Subject, covered: [NodeID: Version]) {
        self.subject = subject
        self.covered = covered
    }

    package var subjectOctets: [UInt8] {
        switch subject {
        case .fingerprint(let fingerprint): [1] + fingerprint.octets
        case .origin(let node): [2] + node.octets
        }
    }

    package var octets: [UInt8] {
        var writer = FieldWriter()
        for (origin, version) in covered.sorted(by: { $0.key < $1.key }) {
            var entry = FieldWriter()
            entry.bytes(1, origin.octets)
            entry.number(2, version.incarnation)
            entry.number(3, version.counter)
            writer.element(1, entry.octets)
        }
        return writer.octets
    }

    package init?(subject octets: [UInt8], _ value: [UInt8]) {
        let rest = Array(octets.dropFirst())
        switch octets.first {
        case 1:
            guard let fingerprint = Fingerprint(octets: rest) else { return nil }
            subject = .fingerprint(fingerprint)
        case 2:
            guard let node = NodeID(octets: rest) else { return nil }
            subject = .origin(node)
        default: return nil
        }
        covered = [:]
        var reader = FieldReader(value)
        while let (field, value) = reader.next() {
            guard field == 1, case .bytes(let entry) = value else { continue }
            guard covered.count < Self.originsLongest, let (node, version) = Self.entry(entry) else {
                return nil
            }
            covered[node] = version
        }
        if reader.isBroken { return nil }
    }

    private static func entry(_ octets: ArraySlice<UInt8>) -> (NodeID, Version)? {
        var reader = FieldReader(octets)
        var node: NodeID?
        var version = Version(incarnation: 0, counter: 0)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let octets)): node = NodeID(octets: octets)
            case (2, .number(let number)): version.incarnation = number
            case (3, .number(let number)): version.counter = number
            default: break
            }
        }
        guard !reader.isBroken, let node else { return nil }
        return (node, version)
    }
}
