/// Everything a reply to EHLO or LHLO offers: what concerns transactions, and what concerns the session
/// alone.
struct PeerOffer: Sendable, Equatable {
    struct Mechanisms: OptionSet, Sendable, Equatable {
        let rawValue: UInt8
        static let plain = Mechanisms(rawValue: 1)
        static let login = Mechanisms(rawValue: 2)
        static let scramSHA256 = Mechanisms(rawValue: 4)
    }

    var capabilities = PeerCapabilities()
    var startTLS = false
    var mechanisms: Mechanisms = []

    init() {}

    /// From the lines of a positive reply to EHLO, divided by LF; the first bears the peer's name (RFC 5321
    /// §4.1.1.1).
    init(helloText: [UInt8]) {
        for line in helloText.split(separator: 0x0A, omittingEmptySubsequences: false).dropFirst() {
            // `AUTH=LOGIN PLAIN` is older than RFC 4954 and still said.
            var words = line.split(whereSeparator: { $0 == 0x20 || $0 == 0x3D })[...]
            guard let keyword = words.popFirst() else { continue }
            let raw = line.split(separator: 0x20).dropFirst()
            switch String(decoding: keyword, as: UTF8.self).uppercased() {
            case "PIPELINING": capabilities.pipelining = true
            case "8BITMIME": capabilities.eightBitMIME = true
            case "SMTPUTF8": capabilities.smtpUTF8 = true
            case "CHUNKING": capabilities.chunking = true
            case "DSN": capabilities.dsn = true
            case "ENHANCEDSTATUSCODES": capabilities.enhancedStatusCodes = true
            case "STARTTLS": startTLS = true
            // RFC 1870 §4: no number, or 0, means that no fixed limit is known.
            case "SIZE": capabilities.size = raw.first.flatMap(Self.number) ?? 0
            case "AUTH": for word in words { add(mechanism: word) }
            case "LIMITS": for word in raw { add(limit: word) }
            default: break
            }
        }
    }

    private mutating func add(mechanism: ArraySlice<UInt8>) {
        switch String(decoding: mechanism, as: UTF8.self).uppercased() {
        case "PLAIN": mechanisms.insert(.plain)
        case "LOGIN": mechanisms.insert(.login)
        case "SCRAM-SHA-256": mechanisms.insert(.scramSHA256)
        default: break
        }
    }

    /// `RCPTMAX=100` (RFC 9422 §4). A limit of nothing is no limit that anybody could keep, and is not heard.
    private mutating func add(limit: ArraySlice<UInt8>) {
        let parts = limit.split(separator: 0x3D, maxSplits: 1)
        guard parts.count == 2, let value = Self.number(parts[1]), value > 0, let count = Int(exactly: value)
        else { return }
        switch String(decoding: parts[0], as: UTF8.self).uppercased() {
        case "RCPTMAX": capabilities.recipientMaximum = count
        case "MAILMAX": capabilities.mailMaximum = count
        default: break
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard (1...20).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}
