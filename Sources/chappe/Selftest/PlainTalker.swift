import Glibc
import MailValues

/// A client of SMTP that says what it is told to, octet for octet, and believes nothing: a blocking socket.
struct PlainTalker: ~Copyable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Answer {
        var code: Int
        /// Code and text on one line.
        var text: String
        var isPositive: Bool { code / 100 == 2 }
    }

    private let descriptor: CInt
    /// Octets of a reply; more is no reply.
    private static let replyOctets = 64 << 10

    init(address: IPAddress, port: UInt16, source: IPAddress?, timeoutSeconds: Int) throws(Failure) {
        descriptor = socket(
            address.isV4 ? AF_INET : AF_INET6, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure("socket") }
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        if let source {
            guard Self.withAddress(source, 0, { Glibc.bind(descriptor, $0, $1) }) == 0 else {
                throw Self.failure("\(source) is not an address of this machine")
            }
        }
        guard Self.withAddress(address, port, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            throw Self.failure("connect")
        }
    }

    deinit { Glibc.close(descriptor) }

    func command(_ text: String) throws(Failure) -> Answer { try command(Array(text.utf8)) }

    /// Sends a line and waits for the reply to it.
    func command(_ octets: [UInt8]) throws(Failure) -> Answer {
        guard send(octets + [0x0D, 0x0A]) else { throw Self.failure("the connection broke") }
        return try reply()
    }

    /// Sends a line, whether anybody hears it or not.
    func say(_ text: String) { _ = send(Array((text + "\r\n").utf8)) }

    /// One reply of one or more lines (RFC 5321 §4.2.1). One octet at a time: nothing here is in a hurry.
    func reply() throws(Failure) -> Answer {
        var lines: [String] = []
        var line: [UInt8] = []
        var total = 0
        while total < Self.replyOctets {
            var octet: UInt8 = 0
            let count = recv(descriptor, &octet, 1, 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(count == 0 ? "hung up" : "no reply") }
            total += 1
            guard octet == 0x0A else {
                line.append(octet)
                continue
            }
            if line.last == 0x0D { line.removeLast() }
            let text = String(decoding: line, as: UTF8.self)
            guard line.count >= 3, let code = Int(text.prefix(3)), (200...599).contains(code) else {
                throw Failure(description: "this is no reply: \(text.prefix(80))")
            }
            lines.append(lines.isEmpty ? text : String(text.dropFirst(4)))
            if line.count == 3 || line[3] != 0x2D {
                return Answer(code: code, text: lines.joined(separator: " "))
            }
            line = []
        }
        throw Failure(description: "the reply does not end")
    }

    private func send(_ octets: [UInt8]) -> Bool {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func failure(_ what: String) -> Failure {
        Failure(
            description: errno == EAGAIN
                ? "\(what): nothing came in time" : "\(what): \(String(cString: strerror(errno)))")
    }

    private static func withAddress(
        _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        if address.isV4 {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address.octets) }
            return generic(&name, body)
        }
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
        return generic(&name, body)
    }

    private static func generic<Name>(
        _ name: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Name>.size))
            }
        }
    }
}
