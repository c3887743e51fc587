import CRocksDB
import Glibc
package import MailValues

extension RocksQueue {
    /// Puts what reads of a damaged store into a new one, in its place; says what is gone, and leaves it to
    /// start held.
    ///
    /// The damaged store is moved aside as it is. The new one needs as much room again: `into` names another
    /// place for it, and then the damaged one stays where it is.
    package static func repair(
        directory path: String, into other: String? = nil, options wished: StoreOptions = StoreOptions(),
        now: Timestamp, tell: @escaping (_ messages: Int) -> Void = { _ in }
    ) throws(StoreOpenError) -> RepairReport {
        let directory = try StoreDirectory(path, create: false)
        let lock = try DirectoryLock(path)
        defer { lock.release() }
        let place = try RepairPlace(of: directory, into: other, now: now)
        let sources = try SalvageSources(directory)
        try place.checkRoom(for: sources.octets)
        try place.prepare()
        var options = wished.fitted(to: Room.capacity(of: place.path) ?? .max)
        options.createIfMissing = true
        var report = try fill(place.path, from: sources, options, tell)
        report.missingLogOctets = directory.missingLogOctets(firstLog: sources.manifest?.firstLog ?? 0)
        // Before the store can be opened by anybody else: what it holds may have been delivered.
        guard StoreMarker.repair.write(into: place.path) else {
            throw .failed(detail: "\(place.path): the marker was not written")
        }
        try place.becomeOwned()
        report.damagedStore = try place.takeOver()
        return report
    }

    /// The database is closed when this returns.
    private static func fill(
        _ path: String, from sources: SalvageSources, _ options: StoreOptions, _ tell: @escaping (Int) -> Void
    ) throws(StoreOpenError) -> RepairReport {
        do {
            let database = try Database(directory: path, options: options, recovery: .tolerateCorruptedTail)
            let salvage = Salvage(sources, into: database, tell: tell)
            try salvage.run()
            return salvage.report
        } catch let error as StoreOpenError {
            throw error
        } catch let error as DatabaseError {
            throw .failed(detail: error.detail)
        } catch {
            throw .failed(detail: "\(error)")
        }
    }
}

/// Where a repaired store is made, and how it gets to where it is looked for.
struct RepairPlace {
    /// The new store, while it is made.
    let path: String
    private let damaged: String
    /// Where the damaged store goes; nil: it stays.
    private let aside: String?

    init(of directory: StoreDirectory, into other: String?, now: Timestamp) throws(StoreOpenError) {
        damaged = directory.path
        if let other {
            path = other
            aside = nil
            guard access(other, F_OK) != 0 else { throw .failed(detail: "\(other) exists already") }
            return
        }
        var base = directory.path[...]
        while base.count > 1, base.last == "/" { base.removeLast() }
        path = base + ".repairing"
        aside = "\(base).damaged-\(now.milliseconds / 1000)"
        var (own, above) = (stat(), stat())
        guard stat(directory.path, &own) == 0, stat(base + "/..", &above) == 0, own.st_dev == above.st_dev
        else {
            throw .failed(
                detail: "\(directory.path) is a file system of its own and cannot be moved aside: "
                    + "say where the repaired store is to be made (--into)")
        }
    }

    func checkRoom(for octets: Int) throws(StoreOpenError) {
        var information = statvfs()
        let above = path + "/.."
        guard statvfs(access(above, F_OK) == 0 ? above : damaged, &information) == 0 else { return }
        let free = Int(clamping: UInt64(information.f_bavail) &* UInt64(information.f_frsize))
        // Tables, logs and manifest of the new store, beside its values.
        let needed = octets + octets / 8 + (16 << 20)
        guard free >= needed else {
            throw .failed(
                detail: "the repaired store may need \(needed >> 20) MiB, and \(free >> 20) MiB are free: "
                    + "make room, or say where it is to be made (--into)")
        }
    }

    /// An empty folder; what a repair left that did not come to its end goes.
    func prepare() throws(StoreOpenError) {
        if let left = try? StoreDirectory(path, create: false) {
            for name in left.files { unlink("\(path)/\(name)") }
            rmdir(path)
        }
        guard mkdir(path, 0o700) == 0 else {
            throw .failed(detail: "\(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Whoever repairs may be root; the node is not, and must be able to open it.
    func becomeOwned() throws(StoreOpenError) {
        var status = stat()
        guard stat(damaged, &status) == 0, status.st_uid != geteuid() else { return }
        let files = try StoreDirectory(path, create: false).files.map { "\(path)/\($0)" }
        for file in files + [path] where chown(file, status.st_uid, status.st_gid) != 0 {
            throw .failed(detail: "\(file): \(String(cString: strerror(errno)))")
        }
    }

    /// Exchanges the two in one step; returns where the damaged one is then.
    func takeOver() throws(StoreOpenError) -> String? {
        guard let aside else { return nil }
        guard exchange_folders(path, damaged) == 0 else {
            throw .failed(
                detail: "the repaired store is in \(path) and could not be put in place: "
                    + String(cString: strerror(errno)))
        }
        guard rename(path, aside) == 0 else { return path }
        let above = open(damaged + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if above >= 0 {
            fsync(above)
            close(above)
        }
        return aside
    }
}
