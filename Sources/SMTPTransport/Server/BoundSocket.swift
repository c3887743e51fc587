import Glibc
package import MailValues
import NIOCore

/// A socket that is bound and not yet heard: taken while we may still take low ports, served once the store
/// is open.
///
/// Clients that connect in between wait in the kernel's backlog.
package final class BoundSocket: Sendable {
    package let address: IPAddress
    package let port: UInt16
    /// Given away by `release`, or closed with this object.
    private let handle: Int32
    private nonisolated(unsafe) var isReleased = false  // written once, before the one hand-over

    /// Port 0 takes any free one; `OpenListener.port` then says which.
    package init(address: IPAddress, port: UInt16, backlog: Int32 = 4096) throws(ListenError) {
        let family = address.isV4 ? AF_INET : AF_INET6
        handle = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.address = address
        self.port = port
        guard handle >= 0 else {
            isReleased = true
            throw Self.failure(address, port)
        }
        var on: Int32 = 1
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        // What we send on these connections are replies of a line. A congestion control that paces (bbr) sets a
        // timer for each, for nothing; Reno is in every kernel, and accepted sockets inherit it.
        _ = "reno".withCString {
            setsockopt(handle, Int32(IPPROTO_TCP), TCP_CONGESTION, $0, socklen_t(strlen($0)))
        }
        if family == AF_INET6 {
            // IPv4 has listeners of its own, so `[::]` must not take its port.
            setsockopt(handle, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        let target = try? SocketAddress(ipAddress: address.description, port: Int(port))
        let isBound = target.map { $0.withSockAddr { bind(handle, $0, socklen_t($1)) == 0 } } ?? false
        guard isBound, Glibc.listen(handle, backlog) == 0 else {
            let error = Self.failure(address, port)
            close(handle)
            isReleased = true
            throw error
        }
    }

    /// A socket that was bound before and has stopped listening: it listens again. No right to low ports is needed.
    init(resuming handle: Int32, address: IPAddress, port: UInt16, backlog: Int32 = 4096) throws(ListenError)
    {
        self.handle = handle
        self.address = address
        self.port = port
        guard Glibc.listen(handle, backlog) == 0 else {
            let error = Self.failure(address, port)
            close(handle)
            isReleased = true
            throw error
        }
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
}
