package import MailValues

/// What a proxy says about the connection that it hands on (HAProxy, "The PROXY protocol", versions 1 and 2).
package struct ProxyHeader: Equatable, Sendable {
    package struct Endpoints: Equatable, Sendable {
        package let source: IPAddress
        package let sourcePort: UInt16
        package let destination: IPAddress
        package let destinationPort: UInt16
    }

    /// Nil for LOCAL, UNKNOWN and families that are no IP: the proxy speaks for itself, a health check.
    package let endpoints: Endpoints?

    package enum Outcome: Equatable, Sendable {
        /// So far it may be a header; ask again with these octets and more.
        case incomplete
        /// The header took this many octets; the client's own begin behind them.
        case header(ProxyHeader, octets: Int)
        /// No header: close without a word.
        case invalid
    }

    /// Octets of a version 1 line, CRLF included ("§2.1: 107").
    package static let lineOctets = 107
    /// Octets of a version 2 header. The protocol allows 65,551 and promises 536 without extensions;
    /// certificates of clients, which some proxies add, need the rest.
    package static let binaryOctets = 4_096

    /// Reads a header at the beginning of a connection, from all octets that have come.
    package static func parse(_ octets: UnsafeRawBufferPointer) -> Outcome {
        guard let first = octets.first else { return .incomplete }
        return first == signature[0] ? parseBinary(octets) : parseLine(octets)
    }

    // MARK: Version 1

    private static func parseLine(_ octets: Octets) -> Outcome {
        let prefix: StaticString = "PROXY "
        for index in 0..<min(octets.count, prefix.utf8CodeUnitCount)
        where octets[index] != prefix.utf8Start[index] {
            return .invalid
        }
        let line = octets.part(0..<min(octets.count, lineOctets))
        guard let lineFeed = line.firstIndex(of: 0x0A) else {
            return octets.count < lineOctets ? .incomplete : .invalid
        }
        guard lineFeed > 6, line[lineFeed - 1] == 0x0D else { return .invalid }
        let words = line.part(6..<lineFeed - 1).split(separator: 0x20, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        if words[0] == "UNKNOWN" { return .header(ProxyHeader(endpoints: nil), octets: lineFeed + 1) }
        guard words.count == 5, words[0] == "TCP4" || words[0] == "TCP6",
            let source = IPAddress(words[1]), let destination = IPAddress(words[2]),
            words[1].contains(":") == (words[0] == "TCP6"), words[2].contains(":") == (words[0] == "TCP6"),
            let sourcePort = port(words[3]), let destinationPort = port(words[4])
        else { return .invalid }
        let endpoints = Endpoints(
            source: source, sourcePort: sourcePort, destination: destination, destinationPort: destinationPort
        )
        return .header(ProxyHeader(endpoints: endpoints), octets: lineFeed + 1)
    }

    private static func port(_ text: String) -> UInt16? {
        guard text.utf8.allSatisfy(\.isDigit), text.utf8.count == 1 || text.utf8.first != 0x30 else {
            return nil
        }
        return UInt16(text)
    }

    // MARK: Version 2

    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    private static func parseBinary(_ octets: Octets) -> Outcome {
        for index in 0..<min(octets.count, 12) where octets[index] != signature[index] { return .invalid }
        guard octets.count >= 16 else { return .incomplete }
        let length = Int(octets[14]) << 8 | Int(octets[15])
        guard octets[12] >> 4 == 2, octets[12] & 0xF <= 1, length + 16 <= binaryOctets else {
            return .invalid
        }
        guard octets.count >= 16 + length else { return .incomplete }
        let isLocal = octets[12] & 0xF == 0
        let body = octets.part(16..<16 + length)
        guard !isLocal else { return .header(ProxyHeader(endpoints: nil), octets: 16 + length) }
        switch octets[13] {
        case 0x11: return binary(body, addressOctets: 4)
        case 0x21: return binary(body, addressOctets: 16)
        default: return .header(ProxyHeader(endpoints: nil), octets: 16 + length)
        }
    }

    /// The addresses and ports; what follows them (TLVs) is passed over.
    private static func binary(_ body: Octets, addressOctets: Int) -> Outcome {
        let fixed = 2 * addressOctets + 4
        guard body.count >= fixed, let source = IPAddress(octets: body.part(0..<addressOctets)),
            let destination = IPAddress(octets: body.part(addressOctets..<2 * addressOctets))
        else { return .invalid }
        func port(_ at: Int) -> UInt16 { UInt16(body[at]) << 8 | UInt16(body[at + 1]) }
        let endpoints = Endpoints(
            source: source, sourcePort: port(fixed - 4), destination: destination,
            destinationPort: port(fixed - 2))
        return .header(ProxyHeader(endpoints: endpoints), octets: 16 + body.count)
    }
}
