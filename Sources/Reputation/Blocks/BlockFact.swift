package import Convergence
package import MailValues

/// Whom a block is about.
package enum BlockSubject: Hashable, Sendable {
    case network(Network)
    case account(String)

    package var octets: [UInt8] {
        switch self {
        case .network(let network):
            [network.address.isV4 ? 4 : 6, UInt8(network.prefixLength)] + network.address.octets
        case .account(let name): [5] + name.utf8
        }
    }

    package init?(octets: [UInt8]) {
        guard let tag = octets.first else { return nil }
        let rest = octets.dropFirst()
        switch tag {
        case 4, 6:
            // Nobody blocks more than a /16 of IPv4 or a /32 of IPv6 by a fact.
            guard let length = rest.first.map(Int.init), let address = IPAddress(octets: rest.dropFirst()),
                address.isV4 == (tag == 4), (address.isV4 ? 16...32 : 32...128).contains(length)
            else { return nil }
            let network = Network(address, prefixLength: length)
            guard network.address == address else { return nil }
            self = .network(network)
        case 5:
            guard !rest.isEmpty, rest.count <= ReputationSubject.nameOctetsLongest,
                let name = String(validating: rest, as: UTF8.self)
            else { return nil }
            self = .account(name)
        default: return nil
        }
    }
}

extension BlockSubject: CustomStringConvertible {
    package var description: String {
        switch self {
        case .network(let network): "\(network)"
        case .account(let name): "account \(name)"
        }
    }
}

/// One node's evidence that a host relays for strangers or that an account is not its owner's any more. The
/// fact's lifetime is the block's.
package struct BlockFact: Fact {
    /// Ids of what was seen: events that the operator can look up on the node that says it.
    package var evidence: [String]
    /// When the first of it was seen.
    package var since: Timestamp

    package static let evidenceCountLongest = 8
    package static let evidenceOctetsLongest = 64

    package static let description = FactDescription(
        kind: FactKind(rawValue: 17), name: "block", isUrgent: true, lifetimeLongest: .seconds(7 * 24 * 3600),
        bounds: FactBounds(
            keys: 8192, octets: 4 << 20, subjectOctets: ReputationSubject.nameOctetsLongest + 1,
            valueOctets: 1024), isRevocable: true)

    package init(evidence: [String], since: Timestamp) {
        self.evidence = evidence.prefix(Self.evidenceCountLongest).map {
            String(decoding: $0.utf8.prefix(Self.evidenceOctetsLongest), as: UTF8.self)
        }
        self.since = since
    }

    package static func octets(of subject: BlockSubject) -> [UInt8] { subject.octets }
    package static func subject(_ octets: [UInt8]) -> BlockSubject? { BlockSubject(octets: octets) }

    package var octets: [UInt8] {
        var writer = FieldWriter()
        for id in evidence { writer.element(1, id.utf8) }
        writer.number(2, UInt64(clamping: since.milliseconds))
        return writer.octets
    }

    package init?(octets: [UInt8]) {
        evidence = []
        since = Timestamp(milliseconds: 0)
        var reader = FieldReader(octets)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let id)):
                guard evidence.count < Self.evidenceCountLongest, id.count <= 4 * Self.evidenceOctetsLongest,
                    let text = String(validating: id, as: UTF8.self)
                else { return nil }
                evidence.append(text)
            case (2, .number(let moment)): since = Timestamp(milliseconds: Int64(clamping: moment))
            default: break
            }
        }
        if reader.isBroken { return nil }
    }

    /// Who says so, since when, and on what grounds.
    package struct View: Sendable, Equatable {
        package var origins: Set<NodeID> = []
        package var since: Timestamp?
        package var evidence: [String] = []
    }

    package static func merge(_ said: [Said<BlockFact>]) -> View {
        View(
            origins: Set(said.map(\.origin)),
            // No node has seen anything later than it says so: a wrong clock is cut with the stamp.
            since: Merge.earliest(said.map { min($0.value.since, $0.stamp) }),
            evidence: said.sorted { $0.origin < $1.origin }.flatMap(\.value.evidence))
    }
}
