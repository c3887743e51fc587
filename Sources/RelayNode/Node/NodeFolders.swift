import Glibc

/// The folders that a node writes to.
enum NodeFolders {
    /// Makes those that are missing, for us or for `owner`.
    static func prepare(_ configuration: Configuration, owner: Privileges.Identity?) throws(NodeError) {
        try make(configuration.dataDirectory, owner: owner)
        if let file = configuration.events.file { try make(parent(of: file), owner: owner, mode: 0o750) }
        // The socket's folder is entered by the group that may ask.
        try make(parent(of: configuration.admin.socket), owner: owner, mode: 0o755)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func make(
        _ path: String, owner: Privileges.Identity?, mode: UInt32 = 0o700
    ) throws(NodeError) {
        if access(path, F_OK) == 0 { return }
        let above = parent(of: path)
        if above != path && access(above, F_OK) != 0 { try make(above, owner: owner, mode: 0o755) }
        guard mkdir(path, mode) == 0 || errno == EEXIST, chmod(path, mode) == 0 else {
            throw NodeError("\(path): cannot be made: \(String(cString: strerror(errno)))")
        }
        if let owner, chown(path, owner.user, owner.group) != 0 {
            throw NodeError("\(path): cannot be given to the user: \(String(cString: strerror(errno)))")
        }
    }
}
