internal import Cryptography
internal import MailValues

/// Which passwords were right or wrong a moment ago, as hashes under a key that never leaves this process.
///
/// A client that logs in for each message costs one digest instead of some ten thousand; one that repeats an
/// old password for ever is refused as cheaply, and is not taken for somebody who guesses.
struct PasswordMemory: Sendable {
    struct Key: Hashable, Sendable {
        fileprivate let code: [UInt8]
    }

    private struct Entry: Sendable {
        let isRight: Bool
        let until: Timestamp
    }

    private let secret: [UInt8]
    private let keeping: Duration
    private var entries: RecentTable<Key, Entry>

    init(secret: [UInt8], settings: AuthenticationSettings) {
        self.secret = secret
        keeping = settings.memory
        entries = RecentTable(capacity: settings.memoryEntries)
    }

    /// The verifier is part of it: a new password makes what was remembered of the old one worthless at once.
    func key(_ name: PreparedName, _ password: OpaqueString, _ verifier: ScramVerifier) -> Key {
        Key(
            code: HMACSHA256.code(
                of: verifier.storedKey + Array(name.text.utf8) + [0] + password.octets, key: secret))
    }

    /// Nil: nobody knows.
    func isRight(_ key: Key, now: Timestamp) -> Bool? {
        guard let entry = entries[key], entry.until > now else { return nil }
        return entry.isRight
    }

    mutating func remember(_ key: Key, isRight: Bool, now: Timestamp) {
        entries[key] = Entry(isRight: isRight, until: now + keeping)
    }
}
