import Cryptography
import Yams

/// Says whether two nodes are set up alike: a digest of the settings without what each machine has to itself.
enum SharedDigest {
    /// Settings that name a machine, or a place on it.
    private static let own: Set<String> = [
        "hostname", "address", "data-directory", "socket", "metrics", "port", "file", "event-loops",
        "hello-name",
        "source-v4", "source-v6", "own-names", "own-addresses",
    ]

    /// The first eight octets. Comments, order and the form of writing count for nothing.
    static func of(_ root: Node?) -> UInt64 {
        var digest = SHA256()
        if let root { add(root, to: &digest) }
        return digest.finish().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func add(_ node: Node, to digest: inout SHA256) {
        switch node {
        case .scalar(let scalar): add("s", scalar.string, to: &digest)
        case .sequence(let sequence):
            add("l", "\(sequence.count)", to: &digest)
            for each in sequence { add(each, to: &digest) }
        case .mapping(let mapping):
            let settings = mapping.compactMap { key, value in key.string.map { ($0, value) } }
                .filter { !own.contains($0.0) }.sorted { $0.0 < $1.0 }
            add("m", "\(settings.count)", to: &digest)
            for (name, value) in settings {
                add("k", name, to: &digest)
                add(value, to: &digest)
            }
        case .alias: break
        }
    }

    private static func add(_ kind: String, _ text: String, to digest: inout SHA256) {
        digest.update(Array("\(kind)\(text.utf8.count):\(text)".utf8))
    }
}
