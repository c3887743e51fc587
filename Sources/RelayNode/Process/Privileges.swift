import Glibc

/// Gives up root for good, once the sockets are bound.
package enum Privileges {
    package enum DropError: Error, CustomStringConvertible {
        case noSuchUser(String)
        case noSuchGroup(String)
        case refused(String)
        /// A thread kept what it had.
        case incomplete(String)

        package var description: String {
            switch self {
            case .noSuchUser(let name):
                "there is no user \(name): create it (adduser --system \(name)) or set `user:`"
            case .noSuchGroup(let name):
                "there is no group \(name): create it (addgroup --system \(name)) or set `group:`"
            case .refused(let detail): "could not change user: \(detail)"
            case .incomplete(let detail):
                "root could not be given up in every thread: \(detail); start the node as its own user, with "
                    + "CAP_NET_BIND_SERVICE (ops/packaging/chappe.service)"
            }
        }
    }

    package struct Identity: Sendable, Equatable {
        package let user: UInt32
        package let group: UInt32
    }

    package static var isRoot: Bool { geteuid() == 0 }

    /// Files that we make are for us alone.
    package static func restrictFileMode() { umask(0o077) }

    package static func identity(user: String, group: String?) throws(DropError) -> Identity {
        guard let entry = getpwnam(user) else { throw .noSuchUser(user) }
        var gid = entry.pointee.pw_gid
        let uid = entry.pointee.pw_uid
        if let group {
            guard let entry = getgrnam(group) else { throw .noSuchGroup(group) }
            gid = entry.pointee.gr_gid
        }
        return Identity(user: uid, group: gid)
    }

    /// Group first, because afterwards we could not change it; then user; then look whether the way back is
    /// shut, in every thread.
    ///
    /// To be called while no thread is ending, the first one above all: an `async` main ends it for good.
    package static func become(_ identity: Identity, user: String) throws(DropError) {
        guard isRoot else { return }
        guard initgroups(user, identity.group) == 0, setgid(identity.group) == 0, setuid(identity.user) == 0
        else {
            throw .refused(String(cString: strerror(errno)))
        }
        guard identity.user == 0 || setuid(0) != 0 else { throw .refused("root came back") }
        if identity.user != 0, let excess = ThreadRights.excess(over: identity) { throw .incomplete(excess) }
    }

    /// Runs `work` with the rights of a user, and takes root's back.
    ///
    /// All threads change: for a process that does nothing else meanwhile.
    static func acting<Outcome>(
        as identity: Identity, user: String, _ work: () -> Outcome
    ) throws(DropError) -> Outcome {
        guard isRoot, identity.user != 0 else { return work() }
        let group = getegid()
        let groups = supplementaryGroups
        defer {
            if seteuid(0) != 0 || setegid(group) != 0 || setgroups(groups.count, groups) != 0 {
                preconditionFailure("who may take other rights for a while may take his own back")
            }
        }
        guard initgroups(user, identity.group) == 0, setegid(identity.group) == 0,
            seteuid(identity.user) == 0
        else { throw .refused(String(cString: strerror(errno))) }
        return work()
    }

    /// Whose rights we have, for messages.
    static var userName: String {
        getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
    }

    /// Whether we may give what is ours to a group.
    static func isMember(of group: UInt32) -> Bool {
        isRoot || getegid() == group || supplementaryGroups.contains(group)
    }

    private static var supplementaryGroups: [gid_t] {
        var groups = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
        let count = getgroups(Int32(groups.count), &groups)
        return Array(groups.prefix(max(0, Int(count))))
    }

    /// As many descriptors as we may have: each session needs one.
    package static func raiseDescriptorLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }
}
