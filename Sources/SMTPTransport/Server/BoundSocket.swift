import Glibc
package import MailValues

/// A socket that is bound and not yet heard: taken while we may still take low ports, served once the store is open.
///
/// Clients that connect in between wait in the kernel's backlog.
package final class BoundSocket: Sendable {
    package let address: IPAddress
    package let port: UInt16
    /// Given away by `release`, or closed with this object.
    private let handle: Int32
    private nonisolated(unsafe) var isReleased = false  // written once, before the one hand-over

    /// Port 0 takes any free one; `port` then says which.
    package init(address: IPAddress, port: UInt16, backlog: Int32 = 4096) throws(ListenError) {
        let family = address.isV4 ? AF_INET : AF_INET6
        handle = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.address = address
        guard handle >= 0 else {
            self.port = port
            isReleased = true
            throw Self.failure(address, port)
        }
        var on: Int32 = 1
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        if family == AF_INET6 {
            // IPv4 has listeners of its own, so `[::]` must not take its port.
            setsockopt(handle, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        let isBound = withSocketAddress(address, port) { bind(handle, $0, $1) == 0 }
        guard isBound, Glibc.listen(handle, backlog) == 0 else {
            self.port = port
            let error = Self.failure(address, port)
            close(handle)
            isReleased = true
            throw error
        }
        self.port = Self.boundPort(handle, family) ?? port
    }

    deinit { if !isReleased { close(handle) } }

    /// The descriptor, which the caller now owns.
    func release() -> Int32 {
        precondition(!isReleased, "a bound socket is handed over once")
        isReleased = true
        return handle
    }

    private static func failure(_ address: IPAddress, _ port: UInt16) -> ListenError {
        .cannotBind(address: "\(address) port \(port)", detail: String(cString: strerror(errno)))
    }

    private static func boundPort(_ handle: Int32, _ family: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> UInt16? in
                guard getsockname(handle, raw, &length) == 0 else { return nil }
                return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
    }
}

/// Both families keep the port at the same place, behind the family.
private func withSocketAddress<Result>(
    _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    func pass<Value>(_ value: Value) -> Result {
        withUnsafePointer(to: value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Value>.size))
            }
        }
    }
    switch address {
    case .v4(let bits):
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        value.sin_addr.s_addr = bits.bigEndian
        return pass(value)
    case .v6:
        var value = sockaddr_in6()
        value.sin6_family = sa_family_t(AF_INET6)
        value.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &value.sin6_addr) { $0.copyBytes(from: address.octets) }
        return pass(value)
    }
}
