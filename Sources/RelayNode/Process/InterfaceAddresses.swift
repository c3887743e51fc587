import Glibc
import MailValues

/// The addresses of this machine's interfaces, as they are now.
enum InterfaceAddresses {
    /// What a socket bound to `addresses` can be reached at: a wildcard stands for all addresses of its family.
    ///
    /// Loopback is left out: no stranger's DNS can mean us by it.
    static func reachable(at addresses: [IPAddress]) -> Set<IPAddress> {
        var reached = Set(addresses)
        let hasWildcardV4 = reached.remove(.v4(0)) != nil
        let hasWildcardV6 = reached.remove(.v6(high: 0, low: 0)) != nil
        if hasWildcardV4 || hasWildcardV6 {
            reached.formUnion(all().filter { $0.isV4 ? hasWildcardV4 : hasWildcardV6 })
        }
        return reached.filter { !$0.isLoopback }
    }

    private static func all() -> [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        return sequence(first: list, next: { $0?.pointee.ifa_next }).compactMap { interface in
            interface?.pointee.ifa_addr.flatMap(address)
        }
    }

    private static func address(_ name: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        let raw = UnsafeRawPointer(name)
        switch CInt(name.pointee.sa_family) {
        case AF_INET:
            return .v4(UInt32(bigEndian: raw.load(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6:
            var octets = raw.load(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: &octets) { IPAddress(octets: $0) }
        default:
            return nil
        }
    }
}

extension IPAddress {
    fileprivate var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }
}
