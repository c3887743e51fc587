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

    /// The address from which this machine reaches another; nil if there is no way to it. Nothing is sent.
    static func own(towards host: IPAddress) -> IPAddress? {
        let descriptor = socket(host.isV4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var storage = sockaddr_storage()
        let octets = host.octets
        let length: socklen_t = withUnsafeMutableBytes(of: &storage) { raw in
            if host.isV4 {
                var name = sockaddr_in()
                name.sin_family = sa_family_t(AF_INET)
                name.sin_port = UInt16(9).bigEndian
                withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: octets) }
                raw.storeBytes(of: name, as: sockaddr_in.self)
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            }
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = UInt16(9).bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: octets) }
            raw.storeBytes(of: name, as: sockaddr_in6.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
                guard connect(descriptor, name, length) == 0, getsockname(descriptor, name, &size) == 0 else {
                    return nil
                }
                return address(name)
            }
        }
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
