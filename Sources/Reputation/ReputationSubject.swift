package import MailValues

/// Who or what has a reputation.
package enum ReputationSubject: Hashable, Sendable {
    /// An IPv4 /32 or /24, an IPv6 /64 or /48.
    case network(Network)
    /// The number of an autonomous system.
    case system(UInt32)
    /// A domain of addresses, in lower case.
    case domain(String)
    /// A domain that signs, in lower case.
    case signer(String)
    /// An account of ours.
    case account(String)

    /// Octets of a name; a longer one has no reputation.
    package static let nameOctetsLongest = 255

    /// The networks under which an address is known, the narrow one first: an IPv4 address itself and its /24,
    /// the /64 and the /48 of IPv6, where one host owns as many addresses as it likes.
    package static func networks(of address: IPAddress) -> (narrow: Network, wide: Network) {
        address.isV4
            ? (Network(address, prefixLength: 32), Network(address, prefixLength: 24))
            : (Network(address, prefixLength: 64), Network(address, prefixLength: 48))
    }

    // MARK: As octets

    private enum Tag {
        static let v4: UInt8 = 4
        static let v6: UInt8 = 6
        static let system: UInt8 = 1
        static let domain: UInt8 = 2
        static let signer: UInt8 = 3
        static let account: UInt8 = 5
    }

    package var octets: [UInt8] {
        switch self {
        case .network(let network):
            [network.address.isV4 ? Tag.v4 : Tag.v6, UInt8(network.prefixLength)] + network.address.octets
        case .system(let number):
            [Tag.system] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
        case .domain(let name): [Tag.domain] + name.utf8
        case .signer(let name): [Tag.signer] + name.utf8
        case .account(let name): [Tag.account] + name.utf8
        }
    }

    package init?(octets: [UInt8]) {
        guard let tag = octets.first else { return nil }
        let rest = octets.dropFirst()
        switch tag {
        case Tag.v4, Tag.v6:
            // An IPv4-mapped IPv6 address is IPv4, and has only one way to be written.
            guard let length = rest.first, let address = IPAddress(octets: rest.dropFirst()),
                address.isV4 == (tag == Tag.v4),
                (address.isV4 ? [24, 32] : [48, 64]).contains(length)
            else { return nil }
            let network = Network(address, prefixLength: Int(length))
            guard network.address == address else { return nil }
            self = .network(network)
        case Tag.system:
            guard rest.count == 4 else { return nil }
            self = .system(rest.reduce(0) { $0 << 8 | UInt32($1) })
        case Tag.domain:
            guard let name = Self.name(rest) else { return nil }
            self = .domain(name)
        case Tag.signer:
            guard let name = Self.name(rest) else { return nil }
            self = .signer(name)
        case Tag.account:
            guard let name = Self.name(rest) else { return nil }
            self = .account(name)
        default: return nil
        }
    }

    private static func name(_ octets: ArraySlice<UInt8>) -> String? {
        guard !octets.isEmpty, octets.count <= nameOctetsLongest else { return nil }
        return String(validating: octets, as: UTF8.self)
    }
}

extension ReputationSubject: CustomStringConvertible {
    package var description: String {
        switch self {
        case .network(let network): "\(network)"
        case .system(let number): "AS\(number)"
        case .domain(let name): "domain \(name)"
        case .signer(let name): "signer \(name)"
        case .account(let name): "account \(name)"
        }
    }
}
