import Cryptography

/// Says whether two nodes are set up alike: a digest of the file without what each machine has to itself.
enum SharedDigest {
    /// Settings that name a machine, or a place on it.
    private static let own: Set<Substring> = [
        "hostname", "address", "data-directory", "socket", "metrics", "port", "file", "event-loops", "helo",
        "source-v4", "source-v6", "own-names", "own-addresses",
    ]

    /// The first eight octets. Comments and empty lines count for nothing.
    static func of(_ text: String) -> UInt64 {
        var digest = SHA256()
        for line in text.split(separator: "\n") {
            let bare = line.prefix { $0 != "#" }
            let trimmed = bare.drop { $0 == " " || $0 == "-" }
            let name = trimmed.prefix { $0 != ":" }
            guard !trimmed.allSatisfy(\.isWhitespace), !own.contains(name) else { continue }
            digest.update(Array(bare.utf8))
            digest.update([0x0A])
        }
        return digest.finish().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
