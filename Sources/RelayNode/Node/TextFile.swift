import Glibc

/// Small files that the configuration names.
enum TextFile {
    private static let octetLimit = 4 << 20

    static func read(_ path: String) throws(NodeError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NodeError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        return try read(descriptor, path)
    }

    /// A file with one secret in it; what others may read is refused. A final line end is no part of the
    /// secret.
    static func readSecret(_ path: String) throws(NodeError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NodeError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw NodeError("\(path): others than its owner may read it; chmod 600 it")
        }
        var octets = try read(descriptor, path)
        while let last = octets.last, last == 0x0A || last == 0x0D { octets.removeLast() }
        guard let text = String(validating: octets, as: UTF8.self), !text.isEmpty else {
            throw NodeError("\(path): holds no password in UTF-8")
        }
        return text
    }

    /// The content of a file of ours, or `make`'s, written with mode 0600, if there is none yet.
    static func keep(_ path: String, make: () -> [UInt8]) throws(NodeError) -> [UInt8] {
        if access(path, F_OK) == 0 { return try read(path) }
        let octets = make()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw NodeError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard write(descriptor, octets, octets.count) == octets.count, fsync(descriptor) == 0 else {
            throw NodeError("\(path): \(String(cString: strerror(errno)))")
        }
        return octets
    }

    private static func read(_ descriptor: Int32, _ path: String) throws(NodeError) -> [UInt8] {
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {  // ends: the file does, or the limit is reached
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw NodeError("\(path): \(String(cString: strerror(errno)))") }
            guard count > 0 else { return octets }
            octets.append(contentsOf: chunk[..<count])
            guard octets.count <= octetLimit else {
                throw NodeError("\(path): longer than \(octetLimit) octets")
            }
        }
    }
}
