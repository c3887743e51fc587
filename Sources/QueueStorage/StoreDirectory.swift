import Glibc

/// The folder of a store: looked over before RocksDB touches it, because RocksDB makes anew what it does not
/// find.
struct StoreDirectory: Sendable {
    let path: String

    init(_ path: String, create: Bool) throws(StoreOpenError) {
        self.path = path
        var status = stat()
        guard stat(path, &status) != 0 else { return }
        guard create else { throw .missing(directory: path) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .failed(detail: "\(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Names of the files in it, in order.
    var files: [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    var marker: StoreMarker? {
        guard let octets = try? FileContent("\(path)/\(StoreMarker.fileName)") else { return nil }
        return octets.withOctets { StoreMarker(parsing: String(decoding: $0, as: UTF8.self)) }
    }

    func removeMarker() { unlink("\(path)/\(StoreMarker.fileName)") }

    /// Throws what RocksDB would pass over in silence: a CURRENT that is gone or points nowhere, and logs
    /// with holes.
    func inspect(mayCreate: Bool) throws(StoreOpenError) {
        let files = files
        guard files.contains("CURRENT") else {
            if let orphan = files.first(where: {
                $0.hasSuffix(".sst") || $0.hasSuffix(".blob") || $0.hasPrefix("MANIFEST-")
            }) {
                throw .damaged(file: "CURRENT", detail: "it is missing, but \(orphan) is there")
            }
            if !mayCreate { throw .missing(directory: path) }
            return
        }
        let manifest = try currentManifest(among: files)
        try inspect([manifest], kind: .manifest)
        try inspect(files.filter { $0.hasSuffix(".log") }, kind: .writeAhead)
    }

    /// The manifest that CURRENT names.
    private func currentManifest(among files: [String]) throws(StoreOpenError) -> String {
        let text: String
        do {
            text = try FileContent("\(path)/CURRENT").withOctets { String(decoding: $0, as: UTF8.self) }
        } catch {
            throw .damaged(file: "CURRENT", detail: "\(error)")
        }
        let name = text.dropLast()
        guard text.last == "\n", name.hasPrefix("MANIFEST-"), files.contains(String(name)) else {
            throw .damaged(file: "CURRENT", detail: "it names no manifest that is there")
        }
        return String(name)
    }

    /// Throws the name of the damaged log, where RocksDB only said that there is one.
    func nameDamage() throws(StoreOpenError) {
        try inspect(files.filter { $0.hasSuffix(".log") }, kind: .writeAhead, checksAll: true)
    }

    private func inspect(
        _ names: [String], kind: LogInspection.Kind, checksAll: Bool = false
    ) throws(StoreOpenError) {
        var inspection = LogInspection(kind, checksAll: checksAll)
        for name in names {
            do {
                let content = try FileContent("\(path)/\(name)")
                if let damage = content.withOctets({ inspection.next(name, $0) }) {
                    throw StoreOpenError.damaged(file: damage.file, detail: damage.detail)
                }
            } catch let error as StoreOpenError {
                throw error
            } catch {
                throw .failed(detail: "\(name): \(error)")
            }
        }
    }

    /// RocksDB looks for its tables when it opens, but for blob files only when one is read.
    func checkFiles(of database: Database) throws(StoreOpenError) {
        let there = files.count { $0.hasSuffix(".blob") }
        let known = database.property("rocksdb.num-blob-files", .content)
        guard there < known else { return }
        throw .damaged(file: "blob files", detail: "\(known - there) of \(known) are missing")
    }
}

extension StoreOpenError {
    init(_ error: DatabaseError, directory: String) {
        switch error {
        case .damaged(let detail):
            self = .damaged(file: Self.fileName(in: detail) ?? "the database", detail: detail)
        case .other(let detail) where detail.contains("While lock file"):
            self = .locked(directory: directory)
        case .other(let detail) where detail.contains("No such file"):
            self = .damaged(file: Self.fileName(in: detail) ?? "the database", detail: detail)
        case .noSpace(let detail), .busy(let detail), .other(let detail):
            self = .failed(detail: detail)
        }
    }

    /// The first word of RocksDB's text that ends like one of its files; a manifest last, as it is named
    /// along with others.
    private static func fileName(in detail: String) -> String? {
        let words = detail.split(whereSeparator: { " :,;()\"".contains($0) }).map {
            $0.split(separator: "/").last ?? $0
        }
        let file = words.first { word in [".sst", ".log", ".blob"].contains { word.hasSuffix($0) } }
        return (file ?? words.first { $0.hasPrefix("MANIFEST-") }).map(String.init)
    }
}
