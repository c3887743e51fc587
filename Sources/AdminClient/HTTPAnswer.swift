/// A whole answer of HTTP/1.1, read to the end of the connection (RFC 9112 §6.3).
///
/// Small, because the only server is ours; strict, because a proxy that somebody puts between is not.
package struct HTTPAnswer: Equatable, Sendable {
    package enum Failure: Error, Sendable, Equatable {
        case noStatusLine, headerTooLong, badHeader, badLength, badChunk, cutShort
    }

    package let status: Int
    package let body: [UInt8]

    private static let headerOctets = 64 << 10

    package init(_ octets: [UInt8]) throws(Failure) {
        let section = octets.prefix(Self.headerOctets)
        guard let end = Self.endOfHeader(section) else {
            throw octets.count > Self.headerOctets ? .headerTooLong : .cutShort
        }
        var lines = section[..<(end - 4)].split(separator: 0x0A, omittingEmptySubsequences: false).map {
            $0.last == 0x0D ? $0.dropLast() : $0
        }
        status = try Self.status(lines.removeFirst())
        let (length, isChunked) = try Self.framing(lines)
        let rest = octets[end...]
        if isChunked {
            body = try Self.unchunked(rest)
        } else if let length {
            guard rest.count >= length else { throw .cutShort }
            body = Array(rest.prefix(length))
        } else {
            body = Array(rest)
        }
    }

    private static func endOfHeader(_ octets: ArraySlice<UInt8>) -> Int? {
        var index = octets.startIndex
        while let lineFeed = octets[index...].firstIndex(of: 0x0A) {
            if lineFeed >= 3, octets[lineFeed - 1] == 0x0D, octets[lineFeed - 2] == 0x0A,
                octets[lineFeed - 3] == 0x0D
            {
                return lineFeed + 1
            }
            index = lineFeed + 1
        }
        return nil
    }

    /// `HTTP/1.1 200 OK`
    private static func status(_ line: ArraySlice<UInt8>) throws(Failure) -> Int {
        let words = line.split(separator: 0x20, maxSplits: 2)
        guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8), words[1].count == 3,
            let code = number(words[1], radix: 10), code >= 200
        else { throw .noStatusLine }
        return code
    }

    private static func framing(
        _ lines: [ArraySlice<UInt8>]
    ) throws(Failure) -> (length: Int?, isChunked: Bool) {
        var length: Int?
        var isChunked = false
        for line in lines {
            guard let colon = line.firstIndex(of: 0x3A) else { throw .badHeader }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = trimmed(line[(colon + 1)...])
            if name == "content-length" {
                guard length == nil, let count = number(value, radix: 10) else { throw .badLength }
                length = count
            } else if name == "transfer-encoding" {
                guard String(decoding: value, as: UTF8.self).lowercased() == "chunked" else {
                    throw .badHeader
                }
                isChunked = true
            }
        }
        return (length, isChunked)
    }

    /// RFC 9112 §7.1; extensions and trailers are passed over.
    private static func unchunked(_ octets: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
        var rest = octets
        var body: [UInt8] = []
        while true {
            guard let lineFeed = rest.firstIndex(of: 0x0A) else { throw .cutShort }
            let line = rest[..<lineFeed].prefix { $0 != 0x3B && $0 != 0x0D }
            guard let size = number(trimmed(line), radix: 16) else { throw .badChunk }
            rest = rest[(lineFeed + 1)...]
            if size == 0 { return body }
            guard rest.count >= 2, rest.count - 2 >= size else { throw .cutShort }
            body += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard rest.starts(with: [0x0D, 0x0A]) else { throw .badChunk }
            rest = rest.dropFirst(2)
        }
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let front = octets.drop { $0 == 0x20 || $0 == 0x09 }
        return front.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { front[...$0] } ?? []
    }

    /// Digits only, and few enough that nothing overflows.
    private static func number(_ octets: ArraySlice<UInt8>, radix: Int) -> Int? {
        guard (1...10).contains(octets.count), octets.first != 0x2B, octets.first != 0x2D else { return nil }
        return Int(String(decoding: octets, as: UTF8.self), radix: radix)
    }
}
