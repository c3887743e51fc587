import CRocksDB
import Glibc

extension RocksQueue {
    /// Opens a damaged store as far as it can be read, says what is gone, and leaves it to start held.
    ///
    /// Make a copy of the directory first: what follows the damage in the logs is dropped for good.
    package static func repair(
        directory path: String, options wished: StoreOptions = StoreOptions()
    ) throws(StoreOpenError) -> RepairReport {
        let directory = try StoreDirectory(path, create: false)
        let lock = try DirectoryLock(path)
        defer { lock.release() }
        var options = wished.fitted(to: Room.capacity(of: path) ?? .max)
        options.createIfMissing = false
        var report = RepairReport()
        report.mendedCurrent = try directory.mendCurrent()
        let salvage = try directory.salvage()
        report.unreadableOctets = salvage.unreadableOctets
        // Before the store can be opened by anybody else: what it holds may have been delivered.
        guard StoreMarker.repair.write(into: path) else {
            throw .failed(detail: "\(path): the marker was not written")
        }
        let database = try openDamaged(path, options, &report)
        count(salvage, in: database, &report)
        return report
    }

    private static func openDamaged(
        _ path: String, _ options: StoreOptions, _ report: inout RepairReport
    ) throws(StoreOpenError) -> Database {
        var last: DatabaseError?
        for mode in [RecoveryMode.pointInTime, .skipAnyCorruptedRecord] {
            do throws(DatabaseError) {
                return try Database(directory: path, options: options, recovery: mode)
            } catch {
                last = error
            }
        }
        throw StoreOpenError(last ?? .other("not opened"), directory: path)
    }

    private static func count(_ salvage: LogSalvage, in database: Database, _ report: inout RepairReport) {
        var gone = Set(salvage.kept.filter { $0.family == database.number(of: .envelope) }.map(\.id))
        var start: [UInt8] = []
        // A damaged block ends a walk; go on behind the last key that could be read, at the next table.
        for _ in 0..<10_000 {
            var lastKey: [UInt8] = start
            do throws(DatabaseError) {
                try database.walk(.envelope, from: start) { key, _ in
                    lastKey = [UInt8](key)
                    if key.count == Key.idOctets, let id = Key.id(key) {
                        gone.remove(id)
                        report.messages += 1
                    }
                    return true
                }
                break
            } catch {
                report.damagedTables.append(error.detail)
                guard let next = database.firstTableKey(of: .envelope, after: lastKey) else { break }
                start = next
            }
        }
        report.gone = gone.sorted()
    }
}

extension StoreDirectory {
    /// Lets CURRENT name the newest manifest, where it names none that is there.
    func mendCurrent() throws(StoreOpenError) -> Bool {
        let manifests = files.filter { $0.hasPrefix("MANIFEST-") }
        guard let newest = manifests.last else { throw .damaged(file: "MANIFEST", detail: "there is none") }
        let named = (try? FileContent("\(path)/CURRENT"))?.withOctets { String(decoding: $0, as: UTF8.self) }
        if let named, named.last == "\n", manifests.contains(String(named.dropLast())) { return false }
        let file = open("\(path)/CURRENT", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .failed(detail: "CURRENT: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let octets = Array((newest + "\n").utf8)
        guard octets.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == octets.count,
            fsync(file) == 0
        else { throw .failed(detail: "CURRENT: \(String(cString: strerror(errno)))") }
        return true
    }

    func salvage() throws(StoreOpenError) -> LogSalvage {
        var salvage = LogSalvage()
        for name in files where name.hasSuffix(".log") {
            do throws(FileContent.Failure) {
                try FileContent("\(path)/\(name)").withOctets { salvage.read($0) }
            } catch {
                throw .failed(detail: "\(name): \(error.description)")
            }
        }
        return salvage
    }
}

extension Database {
    /// The first key of the table that begins next behind `key`.
    func firstTableKey(of family: Family, after key: [UInt8]) -> [UInt8]? {
        guard let files = rocksdb_livefiles(raw) else { return nil }
        defer { rocksdb_livefiles_destroy(files) }
        var next: [UInt8]?
        for index in 0..<rocksdb_livefiles_count(files) {
            guard let name = rocksdb_livefiles_column_family_name(files, index),
                String(cString: name) == family.name
            else { continue }
            var count = 0
            guard let smallest = rocksdb_livefiles_smallestkey(files, index, &count) else { continue }
            let start = [UInt8](UnsafeRawBufferPointer(start: smallest, count: count))
            if key.lexicographicallyPrecedes(start), next.map({ start.lexicographicallyPrecedes($0) }) ?? true
            {
                next = start
            }
        }
        return next
    }
}
