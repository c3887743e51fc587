/// A request of HTTP/1.1 that asks for one answer and the end of the connection.
enum HTTPRequestText {
    static func octets(
        method: String, path: String, query: [(name: String, value: String)], body: [UInt8]
    ) -> [UInt8] {
        var target = path
        for (index, pair) in query.enumerated() {
            target += "\(index == 0 ? "?" : "&")\(escaped(pair.name))=\(escaped(pair.value))"
        }
        // The host is of no meaning on a Unix socket, but must stand there (RFC 9112 §3.2).
        var head = "\(method) \(target) HTTP/1.1\r\nHost: chappe\r\nConnection: close\r\n"
        if method != "GET" {
            head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
        }
        return Array((head + "\r\n").utf8) + body
    }

    /// Everything but unreserved characters as `%XX` (RFC 3986 §2.3).
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var octets: [UInt8] = []
        for octet in text.utf8 {
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: octets.append(octet)
            default: octets += [0x25, digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
