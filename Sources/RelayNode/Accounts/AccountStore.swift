package import Cryptography
import Glibc

/// The account file could not be read or written. Ours to mend.
package enum AccountStoreError: Error, Equatable, CustomStringConvertible {
    case failed(file: String, reason: String)
    /// Group or others may read it.
    case notPrivate(file: String, mode: UInt32)
    case malformed(file: String, AccountFileError)

    package var description: String {
        switch self {
        case .failed(let file, let reason): "\(file): \(reason)"
        case .notPrivate(let file, let mode):
            "\(file) has mode 0\(String(mode, radix: 8)): others than its owner may read it; chmod 600 it"
        case .malformed(let file, let error): "\(file), \(error)"
        }
    }
}

/// The account file on disk. It holds verifiers, from which weak passwords can be guessed: its owner alone
/// may read it.
package struct AccountStore: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// All accounts.
    package func load() throws(AccountStoreError) -> [Account] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure() }
        guard status.st_mode & 0o077 == 0 else { throw .notPrivate(file: path, mode: status.st_mode & 0o777) }
        let text = try read(descriptor)
        do throws(AccountFileError) { return try AccountFile.parse(text) } catch {
            throw .malformed(file: path, error)
        }
    }

    /// Puts these accounts in the place of the old ones: wholly or not at all, and durably.
    ///
    /// Two writers at once: the last one wins. The file keeps its owner if we may give it away.
    package func save(_ accounts: [Account]) throws(AccountStoreError) {
        var old = stat()
        let isThere = stat(path, &old) == 0
        let temporary = "\(path).new.\(getpid())"
        unlink(temporary)
        // Exclusive: nobody may have put a link there for us to write through.
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
        do throws(AccountStoreError) {
            defer { close(descriptor) }
            if isThere && old.st_uid != geteuid() {
                guard fchown(descriptor, old.st_uid, old.st_gid) == 0 else { throw failure() }
            }
            try write(AccountFile.text(of: accounts), to: descriptor)
            guard fsync(descriptor) == 0 else { throw failure() }
            guard rename(temporary, path) == 0 else { throw failure() }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncDirectory()
    }

    private func read(_ descriptor: CInt) throws(AccountStoreError) -> [UInt8] {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {  // ends: the file does, or the limit is reached
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            guard count > 0 else { return text }
            text.append(contentsOf: chunk[..<count])
            guard text.count <= AccountFile.sizeLimitOctets else {
                throw .failed(file: path, reason: "too long")
            }
        }
    }

    private func write(_ text: [UInt8], to descriptor: CInt) throws(AccountStoreError) {
        var rest = text[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            rest = rest.dropFirst(count)
        }
    }

    /// Without this a power cut may bring the old name back.
    private func syncDirectory() throws(AccountStoreError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure() }
    }

    private func failure() -> AccountStoreError {
        .failed(file: path, reason: String(cString: strerror(errno)))
    }
}
