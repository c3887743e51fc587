import Cryptography
import GossipTransport

/// A node's secret keys in its data directory: who it is, and what its links show.
struct ClusterKeys: Sendable {
    private let identityFile: KeyStore
    private let linkFile: KeyStore
    /// While not all members have confirmed it, the next link key lies beside the one in use.
    private let nextFile: KeyStore

    init(folder: String) {
        identityFile = KeyStore(path: "\(folder)/node.key", purpose: .node)
        linkFile = KeyStore(path: "\(folder)/link.key", purpose: .link)
        nextFile = KeyStore(path: "\(folder)/link.next.key", purpose: .link)
    }

    /// Made where there is none yet.
    func identity() throws(KeyStoreError) -> Ed25519PrivateKey {
        if !identityFile.exists { try identityFile.create(Ed25519PrivateKey.generate()) }
        return try identityFile.load()
    }

    func link() throws -> LinkKeyPair {
        if !linkFile.exists { try linkFile.create(secret: try LinkKeyPair.generate().secret) }
        return try Self.pair(linkFile)
    }

    /// Nil unless a change of keys is under way.
    func next() throws -> LinkKeyPair? { nextFile.exists ? try Self.pair(nextFile) : nil }

    func begin(_ next: LinkKeyPair) throws(KeyStoreError) { try nextFile.create(secret: next.secret) }

    /// The next one was never told to anybody.
    func abandon() throws(KeyStoreError) { try nextFile.remove() }

    /// The next one is the only one from now on.
    func finish() throws(KeyStoreError) { try nextFile.replace(linkFile) }

    private static func pair(_ file: KeyStore) throws -> LinkKeyPair {
        guard let pair = LinkKeyPair(secret: try file.loadSecret()) else {
            throw KeyStoreError.malformed(file: file.path, .notAKey)
        }
        return pair
    }
}
