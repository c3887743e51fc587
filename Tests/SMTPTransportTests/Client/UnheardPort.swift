import Glibc

/// A port of 127.0.0.1 where nobody listens, kept so until it is released: a port that was merely free a moment ago may
/// be another test's by now.
struct UnheardPort {
    let number: UInt16
    private let socket: Int32

    init() {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = socket
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        precondition(isBound, "loopback has a port left")
        number = UInt16(bigEndian: address.sin_port)
    }

    func release() { close(socket) }
}
