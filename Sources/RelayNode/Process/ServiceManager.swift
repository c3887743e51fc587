import Glibc

/// Tells systemd how we are (sd_notify(3)): a datagram to the socket it names, if there is one.
package struct ServiceManager: Sendable {
    private let socketPath: String?
    /// How often systemd wants to hear of us, halved; nil without a watchdog.
    package let watchdogInterval: Duration?

    package init(environment: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }) {
        socketPath = environment("NOTIFY_SOCKET")
        let microseconds = environment("WATCHDOG_USEC").flatMap(Int64.init)
        watchdogInterval = microseconds.map { .microseconds($0 / 2) }
    }

    package func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
    package func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds)") }
    package func stopping() { send("STOPPING=1\nSTATUS=draining") }
    package func alive() { send("WATCHDOG=1") }

    private static var monotonicMicroseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }

    private func send(_ message: String) {
        guard let socketPath, let first = socketPath.utf8.first else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(socketPath.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: path)
            if first == UInt8(ascii: "@") { room[0] = 0 }  // an abstract name begins with NUL
        }
        let handle = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { return }
        defer { close(handle) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let octets = Array(message.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(handle, octets, octets.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
