import ArgumentParser
import Glibc
import MailValues

/// `HOST:PORT`, where an IPv6 address stands in brackets.
struct Endpoint: ExpressibleByArgument, Equatable, CustomStringConvertible {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"),
            let port = UInt16(argument[argument.index(after: colon)...]), port > 0
        else { return nil }
        var host = argument[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The addresses of the host, in the order in which the system prefers them.
    var addresses: [String] {
        get throws {
            if let address = IPAddress(host) { return ["\(address)"] }
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var first: UnsafeMutablePointer<addrinfo>?
            let code = getaddrinfo(host, nil, &hints, &first)
            guard code == 0 else {
                throw Complaint(
                    "\(Table.harmless(host)) has no address: \(String(cString: gai_strerror(code)))",
                    .unreachable)
            }
            defer { freeaddrinfo(first) }
            var found: [String] = []
            var next = first
            while let entry = next?.pointee {
                next = entry.ai_next
                if let address = Self.address(entry), !found.contains(address) { found.append(address) }
            }
            return found
        }
    }

    private static func address(_ entry: addrinfo) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
