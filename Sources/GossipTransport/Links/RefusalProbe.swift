import Glibc
import MailValues

/// One attempt to connect, only to see whether the machine there answers that nobody listens.
///
/// The library tells that an attempt failed and not why. A refusal is worth telling apart: a process that is
/// gone says so at once, where silence may be a cable.
final class RefusalProbe {
    enum Outcome: Equatable { case refused, other, pending }

    let node: NodeID
    /// When the question is dropped.
    let deadline: Uptime
    let descriptor: CInt
    private let isRefusedAtOnce: Bool

    init?(_ node: NodeID, _ address: PeerAddress, deadline: Uptime) {
        let family = address.address.isV4 ? AF_INET : AF_INET6
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return nil }
        self.node = node
        self.deadline = deadline
        self.descriptor = descriptor
        let code = Self.connect(descriptor, address.address, address.controlPort)
        isRefusedAtOnce = code == ECONNREFUSED
        // A connection that stands after all is reset and not closed: the listener shall not have to wait for
        // words.
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        guard code == EINPROGRESS || code == ECONNREFUSED else { return nil }
    }

    deinit { close(descriptor) }

    func outcome(now: Uptime) -> Outcome {
        if isRefusedAtOnce { return .refused }
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&item, 1, 0) == 1 else { return now >= deadline ? .other : .pending }
        var code: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        return code == ECONNREFUSED ? .refused : .other
    }

    private static func connect(_ descriptor: CInt, _ address: IPAddress, _ port: UInt16) -> CInt {
        let code: CInt
        if address.isV4 {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address.octets) }
            code = withUnsafePointer(to: name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        } else {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
            code = withUnsafePointer(to: name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        return code == 0 ? 0 : errno
    }
}
