internal import Glibc

/// Reads the certificates, keys and authorities that the operator named in the configuration.
package enum PEMFile {
    /// A chain of certificates is some kilobytes, a bundle of authorities some hundred.
    package static let limitOctets = 4 << 20

    /// All octets. A secret must be a file that only its owner may read: what was looked at is what is read.
    package static func read(_ path: String, isSecret: Bool) throws(TLSConfigurationError) -> [UInt8] {
        func failure() -> TLSConfigurationError {
            .unreadable(file: path, reason: String(cString: strerror(errno)))
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure() }
        guard !isSecret || status.st_mode & 0o077 == 0 else {
            throw .keyNotPrivate(file: path, mode: status.st_mode & 0o777)
        }
        guard status.st_size <= limitOctets else {
            throw .unreadable(file: path, reason: "longer than \(limitOctets) octets")
        }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while octets.count <= limitOctets {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            guard count > 0 else { break }
            octets.append(contentsOf: chunk[..<count])
        }
        return octets
    }
}
