import DNSRecords
import MailValues

/// What wants to listen at a port.
struct PortOwner {
    var name: String
    /// Nil: at an address that is not known yet.
    var address: IPAddress?
    var ports: ClosedRange<UInt16>
    /// False: it listens only once the node is in a cluster, of which the file says nothing.
    var isCertain = true

    fileprivate func wants(_ endpoint: SocketEndpoint) -> Bool {
        guard ports.contains(endpoint.port) else { return false }
        guard let address else { return endpoint.address.isUnspecified }
        return address == endpoint.address
            || address.isV4 == endpoint.address.isV4
                && (address.isUnspecified || endpoint.address.isUnspecified)
    }

    fileprivate var place: String {
        guard let address else { return "\(ports.lowerBound) to \(ports.upperBound)" }
        let first = SocketEndpoint(address: address, port: ports.lowerBound)
        return ports.count == 1 ? "\(first)" : "\(first) to \(ports.upperBound)"
    }
}

/// Of two parts that want one port the second would find it taken: the cluster's, on the day when the node joins one.
extension ConfigurationReader {
    /// Ports of a node's links, the door among them.
    private static let clusterPorts: UInt16 = 5

    /// What listens beside the listeners, which are read last.
    func otherPorts(_ configuration: Configuration) -> [PortOwner] {
        let cluster = configuration.cluster
        let isGiven = problems.places["cluster.port"] != nil || problems.places["cluster.address"] != nil
        var owners = [
            PortOwner(
                name: "`cluster.port` with the four above it", address: cluster.address,
                ports: cluster.port...cluster.port + Self.clusterPorts - 1, isCertain: isGiven)
        ]
        if let metrics = configuration.admin.metrics {
            judgePort(metrics, of: "`admin.metrics`", at: problems.places["admin.metrics"] ?? .file, &owners)
        }
        return owners
    }

    func judgePort(
        _ endpoint: SocketEndpoint, of name: String, at place: Place, _ owners: inout [PortOwner]
    ) {
        if let other = owners.first(where: { $0.wants(endpoint) }) {
            let words = "\(name) wants \(endpoint), which \(other.name) has: \(other.place)"
            if other.isCertain {
                problems.error(at: place, words)
            } else {
                problems.warning(at: place, words + ", once this node is in a cluster")
            }
        }
        owners.append(
            PortOwner(name: name, address: endpoint.address, ports: endpoint.port...endpoint.port))
    }

    func judgeAddress(_ address: IPAddress, _ name: String, _ section: Section) {
        guard address.specialPurpose == .multicast || address == .v4(.max) else { return }
        let kind = address == .v4(.max) ? "the broadcast address" : "a multicast address"
        problems.error(
            at: section.place(of: name),
            "\(section.display(name)): \(address) is \(kind), by which no connection comes")
    }
}

extension IPAddress {
    /// All addresses of the host.
    fileprivate var isUnspecified: Bool { self == .v4(0) || self == .v6(high: 0, low: 0) }
}
