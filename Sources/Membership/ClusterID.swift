/// The name of a cluster: 128 bits by chance, drawn by `chappe init`. Frames of another cluster are not ours.
package struct ClusterID: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    package static let sizeOctets = 16

    package init?(octets: some Collection<UInt8>) {
        guard octets.count == Self.sizeOctets else { return nil }
        high = octets.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = octets.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package init(using random: inout some RandomNumberGenerator) {
        high = random.next()
        low = random.next()
    }

    package var octets: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - $0 % 8 * 8)) }
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    package init?(_ text: some StringProtocol) {
        let values = text.utf8.compactMap { Self.value($0) }
        guard text.utf8.count == 32, values.count == 32 else { return nil }
        self.init(octets: stride(from: 0, to: 32, by: 2).map { values[$0] << 4 | values[$0 + 1] })
    }

    private static func value(_ letter: UInt8) -> UInt8? {
        switch letter {
        case 0x30...0x39: letter - 0x30
        case 0x61...0x66: letter - 0x57
        default: nil
        }
    }
}
