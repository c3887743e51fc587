import Glibc

/// The socket as an entry in a directory: who may open it, and what is left of an earlier process.
enum SocketFile {
    /// Takes away what a process that is no more left behind. What still answers, or is no socket, stays.
    static func clear(_ path: String) throws(AdminServer.Failure) {
        var entry = stat()
        guard lstat(path, &entry) == 0 else { return }
        guard entry.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        guard !answers(path) else { throw .alreadyServed(path: path) }
        unlink(path)
    }

    /// What the system calls an error. Here, since an optimised build finds `stat` above in another module where files
    /// beside NIO's import the C library too.
    static func words(for code: CInt) -> String { String(cString: strerror(code)) }

    static func groupID(_ name: String) throws(AdminServer.Failure) -> UInt32 {
        guard let entry = getgrnam(name) else { throw .noSuchGroup(name) }
        return entry.pointee.gr_gid
    }

    static func admit(_ path: String, group: UInt32?, mode: UInt32) throws(AdminServer.Failure) {
        if let group, chown(path, uid_t.max, group) != 0 {
            throw .notPermitted(path: path, reason: words(for: errno))
        }
        guard chmod(path, mode) == 0 else {
            throw .notPermitted(path: path, reason: words(for: errno))
        }
    }

    private static func answers(_ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
