/// A range of addresses: all that share the first `prefixLength` bits.
package struct Network: Hashable, Sendable {
    package let address: IPAddress
    package let prefixLength: Int

    /// Bits of `address` after the prefix are cleared.
    package init(_ address: IPAddress, prefixLength: Int) {
        precondition((0...address.bitWidth).contains(prefixLength), "a prefix is no longer than its address")
        self.address = address.masked(to: prefixLength)
        self.prefixLength = prefixLength
    }

    package func contains(_ other: IPAddress) -> Bool {
        other.isV4 == address.isV4 && other.masked(to: prefixLength) == address
    }
}

extension Network: CustomStringConvertible, LosslessStringConvertible {
    /// `10.0.0.0/8`, `2001:db8::/32`, or an address alone. `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
    package init?(_ description: String) {
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefixLength: address.bitWidth)
            return
        }
        guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            var length = Int(parts[1])
        else { return nil }
        if address.isV4 && parts[0].contains(":") { length -= 96 }
        guard (0...address.bitWidth).contains(length) else { return nil }
        self.init(address, prefixLength: length)
    }

    package var description: String { "\(address)/\(prefixLength)" }
}

/// Many networks, asked by address: one hash look-up for each prefix length in use.
package struct NetworkSet: Sendable, Equatable {
    private var lengthsV4: [Int] = []
    private var lengthsV6: [Int] = []
    private var networks: Set<Network> = []

    package init(_ networks: some Sequence<Network> = []) {
        for network in networks { insert(network) }
    }

    package mutating func insert(_ network: Network) {
        networks.insert(network)
        func add(_ lengths: inout [Int]) {
            guard !lengths.contains(network.prefixLength) else { return }
            lengths.append(network.prefixLength)
            lengths.sort(by: >)
        }
        if network.address.isV4 { add(&lengthsV4) } else { add(&lengthsV6) }
    }

    package var isEmpty: Bool { networks.isEmpty }

    /// In no order.
    package var all: [Network] { Array(networks) }

    /// The most specific network that holds the address.
    package func network(containing address: IPAddress) -> Network? {
        for length in address.isV4 ? lengthsV4 : lengthsV6 {
            let candidate = Network(address, prefixLength: length)
            if networks.contains(candidate) { return candidate }
        }
        return nil
    }

    package func contains(_ address: IPAddress) -> Bool { network(containing: address) != nil }
}
