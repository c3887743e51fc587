import Glibc

/// One exchange over a Unix socket: all of the request, then all that comes until the other side closes.
enum UnixConnection {
    /// Octets of an answer: more than the largest message, so that a broken peer cannot fill the memory.
    private static let answerOctets = 1 << 30

    static func exchange(
        _ request: [UInt8], path: String, timeout: Duration
    ) throws(AdminClient.Failure) -> [UInt8] {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw unreachable(path) }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: Int(timeout.components.seconds), tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        try connect(descriptor, path)
        try send(request, descriptor, path)
        return try receive(descriptor, path)
    }

    private static func connect(_ descriptor: CInt, _ path: String) throws(AdminClient.Failure) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .unreachable(path: path, reason: "the path is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw unreachable(path) }
    }

    private static func send(
        _ octets: [UInt8], _ descriptor: CInt, _ path: String
    ) throws(AdminClient.Failure) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            // A server that has heard enough answers and closes before the end: its answer says why.
            if count < 0 && (errno == EPIPE || errno == ECONNRESET) { return }
            guard count > 0 else { throw unreachable(path) }
            rest = rest.dropFirst(count)
        }
    }

    private static func receive(_ descriptor: CInt, _ path: String) throws(AdminClient.Failure) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            if count == 0 || (count < 0 && errno == ECONNRESET && !received.isEmpty) { return received }
            guard count > 0 else { throw unreachable(path) }
            guard received.count + count <= answerOctets else {
                throw .notUnderstood(path: path, detail: "the answer is longer than \(answerOctets) octets")
            }
            received.append(contentsOf: buffer[..<count])
        }
    }

    private static func unreachable(_ path: String) -> AdminClient.Failure {
        let reason = errno == EAGAIN ? "it does not answer in time" : String(cString: strerror(errno))
        return .unreachable(path: path, reason: reason)
    }
}
