import Glibc

/// A path that means the same wherever its reader stands.
enum AbsolutePath {
    /// Relative paths begin at the folder in which this process was started.
    static func of(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return String(cString: folder) + "/" + path
    }
}
