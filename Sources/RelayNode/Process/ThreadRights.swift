import Glibc

/// What the kernel says that one thread may do.
///
/// A process has no user on Linux, its threads have: glibc carries a change of user to all of them but those that
/// are ending, and such a thread may stay for as long as the process does.
struct ThreadRights: Equatable {
    /// CAP_NET_BIND_SERVICE: ports below 1024.
    static let binding: UInt64 = 1 << 10

    /// Real, effective, saved, and that for files.
    var users: [UInt32] = []
    var groups: [UInt32] = []
    /// All that it has or could give itself.
    var capabilities: UInt64 = 0

    /// - Parameter status: the text of /proc/PID/task/TID/status; nil if it is not like one.
    init?(status: String) {
        var permitted: UInt64?
        for line in status.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let name = words.first else { continue }
            switch name {
            case "Uid:": users = words.dropFirst().compactMap { UInt32($0) }
            case "Gid:": groups = words.dropFirst().compactMap { UInt32($0) }
            case "CapPrm:": permitted = words.last.flatMap { UInt64($0, radix: 16) }
            default: break
            }
        }
        guard users.count == 4, groups.count == 4, let permitted else { return nil }
        capabilities = permitted
    }

    /// Whether it is `identity` alone, and may do no more than bind.
    func isOnly(_ identity: Privileges.Identity) -> Bool {
        users.allSatisfy { $0 == identity.user } && groups.allSatisfy { $0 == identity.group }
            && capabilities & ~Self.binding == 0
    }

    /// The first thread of this process that is more than `identity`, in words; nil: there is none.
    ///
    /// - Parameter folder: where a test puts what the kernel would say.
    static func excess(
        over identity: Privileges.Identity, in folder: String = "/proc/self/task"
    ) -> String? {
        guard let listing = opendir(folder) else {
            return "\(folder) cannot be read to see what is left of root"
        }
        defer { closedir(listing) }
        var count = 0
        while let entry = readdir(listing) {
            let thread = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int(thread) != nil else { continue }
            // Gone meanwhile: it can do no harm.
            guard let status = try? TextFile.read("\(folder)/\(thread)/status"), !status.isEmpty else {
                continue
            }
            guard let rights = ThreadRights(status: String(decoding: status, as: UTF8.self)) else {
                return "the kernel does not say what thread \(thread) may do"
            }
            guard rights.isOnly(identity) else {
                return "thread \(thread) still has users \(rights.users), groups \(rights.groups) and "
                    + "capabilities \(String(rights.capabilities, radix: 16))"
            }
            count += 1
        }
        return count == 0 ? "\(folder) shows no thread" : nil
    }
}
