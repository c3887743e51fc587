/// What two messages of one campaign have in common.
package struct Fingerprint: Hashable, Sendable {
    /// The number travels; it belongs to the kind for ever.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// SHA-256 of the text of the body, as `NormalisedBody` leaves it.
        case body = 1
        /// SHA-256 of the octets of one attachment, decoded.
        case attachment = 2

        package var name: String {
            switch self {
            case .body: "body"
            case .attachment: "attachment"
            }
        }
    }

    package var kind: Kind
    package var digest: [UInt8]

    package static let digestOctets = 32

    @inlinable
    package static func == (left: Fingerprint, right: Fingerprint) -> Bool {
        left.kind == right.kind && left.digest == right.digest
    }

    /// A digest's first octets are as good as any hash of all of them.
    @inlinable
    package func hash(into hasher: inout Hasher) { hasher.combine(word) }

    /// The first eight octets as a number.
    @inlinable
    package var word: UInt64 { digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Nil unless there are 32 octets.
    package init?(_ kind: Kind, digest: [UInt8]) {
        guard digest.count == Self.digestOctets else { return nil }
        self.kind = kind
        self.digest = digest
    }

    package var octets: [UInt8] { [kind.rawValue] + digest }

    package init?(octets: [UInt8]) {
        guard let kind = octets.first.flatMap(Kind.init(rawValue:)) else { return nil }
        self.init(kind, digest: Array(octets.dropFirst()))
    }
}

extension Fingerprint: CustomStringConvertible, LosslessStringConvertible {
    /// `body:` or `attachment:` and 64 hexadecimal digits.
    package var description: String {
        let name = kind.name.utf8
        // Written into the record of each message that comes.
        return String(unsafeUninitializedCapacity: name.count + 1 + 2 * digest.count) { room in
            var end = room.initialize(fromContentsOf: name)
            room[end] = 0x3A
            end += 1
            for octet in digest {
                room[end] = Self.digit(octet >> 4)
                room[end + 1] = Self.digit(octet & 15)
                end += 2
            }
            return end
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    package init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind.allCases.first(where: { $0.name == parts[0] }),
            parts[1].utf8.count == 2 * Self.digestOctets
        else { return nil }
        var digest: [UInt8] = []
        var rest = parts[1][...]
        while !rest.isEmpty {
            let pair = rest.prefix(2)
            guard pair.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }), let octet = UInt8(pair, radix: 16)
            else {
                return nil
            }
            digest.append(octet)
            rest = rest.dropFirst(2)
        }
        self.init(kind, digest: digest)
    }
}
