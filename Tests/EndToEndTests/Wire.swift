import Glibc
import Synchronization

/// A blocking connection that speaks in lines.
final class Wire {
    private let handle: Int32
    private var octets: [UInt8] = []

    init(handle: Int32) { self.handle = handle }

    convenience init(port: UInt16) throws {
        let handle = try Loopback.socket()
        guard Loopback.with(port, { connect(handle, $0, $1) }) == 0 else {
            let reason = String(cString: strerror(errno))
            close(handle)
            throw Failure("port \(port): \(reason)")
        }
        self.init(handle: handle)
    }

    deinit { close(handle) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) {
        var start = 0
        while start < octets.count {
            let count = octets.withUnsafeBytes {
                Glibc.send(
                    handle, $0.baseAddress! + start, octets.count - start, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            start += count
        }
    }

    /// The next line with its end; nil: no more will come.
    func line() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {  // ends: with a line, or with the connection
            if let end = octets.firstIndex(of: 0x0A) {
                defer { octets.removeFirst(end + 1) }
                return Array(octets[...end])
            }
            let count = recv(handle, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            octets += buffer[..<count]
        }
    }

    /// The last line of the next reply; nil: the connection has ended.
    func reply() -> String? {
        while let line = line() {
            if line.dropFirst(3).first != UInt8(ascii: "-") {
                return String(decoding: line.dropLast(2), as: UTF8.self)
            }
        }
        return nil
    }

    func ask(_ command: String) -> String? {
        send(command + "\r\n")
        return reply()
    }

    /// A session that was greeted and has said EHLO.
    static func session(_ port: UInt16) throws -> Wire {
        let wire = try Wire(port: port)
        guard wire.reply()?.hasPrefix("220 ") == true,
            wire.ask("EHLO client.example.test")?.hasPrefix("250 ") == true
        else { throw Failure("port \(port) does not speak SMTP") }
        return wire
    }

    /// Sends one message; its queue id.
    func deliver(_ content: String, to recipient: String = "someone@example.net") throws -> String {
        send("MAIL FROM:<sender@example.test>\r\nRCPT TO:<\(recipient)>\r\nDATA\r\n")
        let codes = (0..<3).map { _ in String(reply()?.prefix(3) ?? "end") }
        guard codes == ["250", "250", "354"] else { throw Failure("heard \(codes)") }
        guard let reply = ask(content + "."), reply.hasPrefix("250 "),
            let id = reply.split(separator: " ").last
        else { throw Failure("the message was not taken") }
        return String(id)
    }
}

enum Loopback {
    static func socket() throws -> Int32 {
        let handle = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { throw Failure("no socket") }
        return handle
    }

    static func with<Value>(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    static func port(of handle: Int32) -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(handle, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }
}

enum FreePort {
    /// The first of several ports in a row that nobody has at this moment. They lie below those that the system gives
    /// away by itself.
    static func take(run count: UInt16) throws -> UInt16 {
        for _ in 0..<100 {
            let first = UInt16.random(in: 12_000..<32_000)
            let handles = try (0..<count).map { _ in try Loopback.socket() }
            defer { for handle in handles { close(handle) } }
            let areFree = zip(first..<first + count, handles).allSatisfy { port, handle in
                Loopback.with(port) { bind(handle, $0, $1) } == 0
            }
            if areFree { return first }
        }
        throw Failure("no free ports")
    }

    /// A port that nobody has at this moment.
    static func take() throws -> UInt16 {
        let handle = try Loopback.socket()
        defer { close(handle) }
        guard Loopback.with(0, { bind(handle, $0, $1) }) == 0 else { throw Failure("no free port") }
        return Loopback.port(of: handle)
    }
}
