package import Cryptography
import Glibc

/// A key file could not be read or written. Ours to mend; no case repeats what the file holds.
package enum KeyStoreError: Error, Equatable, CustomStringConvertible {
    case failed(file: String, reason: String)
    /// Group or others may read it.
    case notPrivate(file: String, mode: UInt32)
    /// A key is never written over: what it signed could not be signed again.
    case exists(file: String)
    case malformed(file: String, KeyFileError)

    package var description: String {
        switch self {
        case .failed(let file, let reason): "\(file): \(reason)"
        case .notPrivate(let file, let mode):
            "\(file) has mode 0\(String(mode, radix: 8)): others than its owner may read this key; chmod 600 it"
        case .exists(let file): "\(file) is there already, and a key is never written over"
        case .malformed(let file, let error): "\(file) \(error)"
        }
    }
}

/// A secret key on disk: a node's identity, or the operator's. Its owner alone may read it.
package struct KeyStore: Sendable {
    package let path: String
    package let purpose: KeyFile.Purpose

    package init(path: String, purpose: KeyFile.Purpose) {
        self.path = path
        self.purpose = purpose
    }

    package var exists: Bool { access(path, F_OK) == 0 }

    /// A key of Ed25519.
    package func load() throws(KeyStoreError) -> Ed25519PrivateKey {
        guard let key = Ed25519PrivateKey(seed: try loadSecret()) else {
            throw .malformed(file: path, .notAKey)
        }
        return key
    }

    /// 32 octets.
    package func loadSecret() throws(KeyStoreError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        // What was looked at is what is read.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure() }
        guard status.st_mode & 0o077 == 0 else { throw .notPrivate(file: path, mode: status.st_mode & 0o777) }
        var text = [UInt8](repeating: 0, count: KeyFile.sizeLimitOctets + 1)
        var filled = 0
        while filled < text.count {
            let room = text.count - filled
            let count = text.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress?.advanced(by: filled), room)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            guard count > 0 else { break }
            filled += count
        }
        do throws(KeyFileError) { return try KeyFile.parse(Array(text[..<filled]), for: purpose) } catch {
            throw .malformed(file: path, error)
        }
    }

    /// Writes a key where none is yet: wholly or not at all, and durably.
    package func create(_ key: Ed25519PrivateKey) throws(KeyStoreError) { try create(secret: key.seed) }

    package func create(secret: [UInt8]) throws(KeyStoreError) {
        let temporary = "\(path).new.\(getpid())"
        unlink(temporary)
        // Exclusive: nobody may have put a link there for us to write through.
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
        defer { unlink(temporary) }
        let text = KeyFile.text(of: secret, for: purpose)
        // A regular file takes some hundred octets at once, or has no room for them.
        let isWritten = write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        let problem = failure()
        close(descriptor)
        guard isWritten else { throw problem }
        // Unlike a rename, a link never replaces what is there.
        guard link(temporary, path) == 0 else {
            throw errno == EEXIST ? .exists(file: path) : failure()
        }
        try syncDirectory()
    }

    /// Takes the place of another key, which is good no longer.
    package func replace(_ old: KeyStore) throws(KeyStoreError) {
        guard rename(path, old.path) == 0 else { throw failure() }
        try syncDirectory()
    }

    package func remove() throws(KeyStoreError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure() }
        try syncDirectory()
    }

    /// Without this a power cut may take the name away again.
    private func syncDirectory() throws(KeyStoreError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure() }
    }

    private func failure() -> KeyStoreError { .failed(file: path, reason: String(cString: strerror(errno))) }
}
