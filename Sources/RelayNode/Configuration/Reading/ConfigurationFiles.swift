import Glibc

/// What the configuration asks of the file system; a test answers from a table.
package struct ConfigurationFiles: Sendable {
    package struct Facts: Sendable, Equatable {
        package var isDirectory: Bool
        /// Permission bits.
        package var mode: UInt32
        package init(isDirectory: Bool = false, mode: UInt32) {
            self.isDirectory = isDirectory
            self.mode = mode
        }
    }

    /// nil: there is nothing of that name.
    package var inspect: @Sendable (String) -> Facts?
    /// nil: it cannot be read. The argument after the path is the most octets to take; a longer file is nil
    /// too.
    package var read: @Sendable (String, Int) -> [UInt8]?

    package init(
        inspect: @escaping @Sendable (String) -> Facts?, read: @escaping @Sendable (String, Int) -> [UInt8]?
    ) {
        self.inspect = inspect
        self.read = read
    }

    package static let system = ConfigurationFiles(
        inspect: { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            return Facts(isDirectory: status.st_mode & S_IFMT == S_IFDIR, mode: status.st_mode & 0o7777)
        },
        read: { path, limit in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            var octets: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65_536)
            while octets.count <= limit {
                let count = Glibc.read(descriptor, &piece, piece.count)
                guard count >= 0 else { return nil }
                guard count > 0 else { return octets }
                octets += piece[..<count]
            }
            return nil
        })

    /// The text of a file that holds one secret, without the line end behind it.
    package func secret(_ path: String) -> String? {
        guard var octets = read(path, 4096) else { return nil }
        while octets.last == 0x0A || octets.last == 0x0D { octets.removeLast() }
        return String(validating: octets, as: UTF8.self)
    }
}
