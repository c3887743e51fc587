/// Takes a transfer encoding off octets that come in pieces (RFC 2045 §6), leniently: what is no code of it is passed
/// over in base64 (§6.8) and stands for itself in quoted-printable (§6.7).
struct TransferDecoder: Sendable {
    enum Encoding: Sendable, Equatable { case identity, base64, quotedPrintable }

    private enum Escape: Sendable {
        case none
        /// Behind `=`.
        case begun
        /// Behind `=` and this digit.
        case half(UInt8)
        /// Behind `=` and CR.
        case lineEnd
    }

    private let encoding: Encoding
    /// Letters of a group of base64 that is not whole yet.
    private var group: UInt32 = 0
    private var groupCount = 0
    private var escape = Escape.none
    private var room: [UInt8] = []
    private var count = 0

    private static let roomOctets = 3 * 1024

    init(_ encoding: Encoding) { self.encoding = encoding }

    /// Hands over what the octets stand for, in pieces of any size.
    mutating func decode(_ octets: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) {
        guard encoding != .identity else { return take(octets) }
        if room.isEmpty { room = [UInt8](repeating: 0, count: Self.roomOctets) }
        var room: [UInt8] = []
        swap(&room, &self.room)
        room.withUnsafeMutableBytes { out in
            if encoding == .base64 {
                decodeBase64(octets, out, take)
            } else {
                decodeQuoted(octets, out, take)
            }
            flush(out, take)
        }
        swap(&room, &self.room)
    }

    /// What the end leaves over.
    mutating func finish(_ take: (UnsafeRawBufferPointer) -> Void) {
        guard encoding == .quotedPrintable else { return }
        if case .none = escape { return }
        decode(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in }
        switch escape {
        case .none, .lineEnd: break
        case .begun: [0x3D].withUnsafeBytes(take)
        case .half(let digit): [0x3D, digit].withUnsafeBytes(take)
        }
        escape = .none
    }

    private mutating func flush(
        _ out: UnsafeMutableRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void
    ) {
        if count > 0 { take(UnsafeRawBufferPointer(rebasing: out[..<count])) }
        count = 0
    }

    // MARK: base64

    /// The value of each letter; 0xFF: no letter.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, letter) in letters.utf8.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    private mutating func decodeBase64(
        _ octets: UnsafeRawBufferPointer, _ out: UnsafeMutableRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) -> Void
    ) {
        Self.values.withUnsafeBufferPointer { values in
            var index = 0
            while index < octets.count {
                if count &+ 3 > out.count { flush(out, take) }
                if groupCount == 0, index &+ 4 <= octets.count {
                    let first = values[Int(octets[index])]
                    let second = values[Int(octets[index &+ 1])]
                    let third = values[Int(octets[index &+ 2])]
                    let fourth = values[Int(octets[index &+ 3])]
                    if (first | second | third | fourth) & 0x80 == 0 {
                        out[count] = first << 2 | second >> 4
                        out[count &+ 1] = second << 4 | third >> 2
                        out[count &+ 2] = third << 6 | fourth
                        count &+= 3
                        index &+= 4
                        continue
                    }
                }
                takeLetter(octets[index], values, out)
                index &+= 1
            }
        }
    }

    private mutating func takeLetter(
        _ octet: UInt8, _ values: UnsafeBufferPointer<UInt8>, _ out: UnsafeMutableRawBufferPointer
    ) {
        let value = values[Int(octet)]
        guard value != 0xFF else {
            if octet == 0x3D { endGroup(out) }
            return
        }
        group = group << 6 | UInt32(value)
        groupCount += 1
        guard groupCount == 4 else { return }
        for shift: UInt32 in [16, 8, 0] { append(UInt8(truncatingIfNeeded: group >> shift), out) }
        (group, groupCount) = (0, 0)
    }

    /// `=` ends the last group, and often stands twice.
    private mutating func endGroup(_ out: UnsafeMutableRawBufferPointer) {
        if groupCount == 2 { append(UInt8(truncatingIfNeeded: group >> 4), out) }
        if groupCount == 3 {
            append(UInt8(truncatingIfNeeded: group >> 10), out)
            append(UInt8(truncatingIfNeeded: group >> 2), out)
        }
        (group, groupCount) = (0, 0)
    }

    private mutating func append(_ octet: UInt8, _ out: UnsafeMutableRawBufferPointer) {
        out[count] = octet
        count += 1
    }

    // MARK: Quoted-printable

    private mutating func decodeQuoted(
        _ octets: UnsafeRawBufferPointer, _ out: UnsafeMutableRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) -> Void
    ) {
        var index = 0
        while index < octets.count {
            if count + 3 > out.count { flush(out, take) }
            if case .none = escape {
                let equals = OctetSearch.next(0x3D, in: octets, from: index)
                if equals > index {
                    let length = min(equals - index, out.count - count)
                    UnsafeMutableRawBufferPointer(rebasing: out[count..<count + length]).copyMemory(
                        from: octets.part(index..<index + length))
                    count += length
                    index += length
                    continue
                }
                escape = .begun
                index += 1
                continue
            }
            if takeEscaped(octets[index], out) { index += 1 }
        }
    }

    /// False: the octet is no part of it, and stands for itself.
    private mutating func takeEscaped(_ octet: UInt8, _ out: UnsafeMutableRawBufferPointer) -> Bool {
        let before = escape
        escape = .none
        switch before {
        case .none: return false
        case .begun:
            if octet == 0x0A { return true }  // a soft line end, its CR gone
            if octet == 0x0D {
                escape = .lineEnd
                return true
            }
            if Self.digit(octet) != nil {
                escape = .half(octet)
                return true
            }
            append(0x3D, out)
            return false
        case .half(let high):
            if let first = Self.digit(high), let second = Self.digit(octet) {
                append(first << 4 | second, out)
                return true
            }
            append(0x3D, out)
            append(high, out)
            return false
        case .lineEnd:
            return octet == 0x0A
        }
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x37
        case 0x61...0x66: octet - 0x57
        default: nil
        }
    }
}
