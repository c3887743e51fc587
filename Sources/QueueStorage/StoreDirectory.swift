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
        // By length first: a number may grow beyond its usual six digits.
        return names.sorted { $0.utf8.count != $1.utf8.count ? $0.utf8.count < $1.utf8.count : $0 < $1 }
    }

    /// `000012.sst` and `MANIFEST-000012` are 12.
    static func number(of file: String) -> UInt64? {
        let start = file.hasPrefix("MANIFEST-") ? file.dropFirst(9) : file.prefix { $0 != "." }
        return UInt64(start)
    }

    /// Octets; nil: it is not there.
    func size(of file: String) -> Int? {
        var status = stat()
        return stat("\(path)/\(file)", &status) == 0 ? Int(status.st_size) : nil
    }

    var marker: StoreMarker? {
        guard let octets = try? FileContent("\(path)/\(StoreMarker.fileName)") else { return nil }
        return octets.withOctets { StoreMarker(parsing: String(decoding: $0, as: UTF8.self)) }
    }

    func removeMarker() { unlink("\(path)/\(StoreMarker.fileName)") }

    // MARK: Before it is opened

    /// Throws what RocksDB would pass over in silence, or meet only when it is read: a CURRENT that is gone
    /// or points nowhere, a manifest that lost its end, logs with holes, files that are gone or have other
    /// ends than were written.
    ///
    /// - Returns: what the store consists of; nil: there is none yet.
    @discardableResult
    func inspect(mayCreate: Bool) throws(StoreOpenError) -> Manifest? {
        let files = files
        guard files.contains("CURRENT") else {
            if let orphan = orphan(among: files) {
                throw .damaged(file: "CURRENT", detail: "it is missing, but \(orphan) is there")
            }
            if !mayCreate { throw .missing(directory: path) }
            return nil
        }
        let manifest = try manifest(named: try currentManifest(among: files))
        if let finding = endDamages(of: manifest).first { throw StoreOpenError(finding) }
        try inspectLogs(of: manifest, among: files)
        return manifest
    }

    /// What shows that there was a store before.
    private func orphan(among files: [String]) -> String? {
        let file = files.first {
            $0.hasSuffix(".sst") || $0.hasSuffix(".blob") || $0.hasPrefix("MANIFEST-")
        }
        return file ?? (Witness.notes(in: path).log == nil ? nil : Witness.fileName)
    }

    /// The name of the manifest that CURRENT names.
    func currentManifest(among files: [String]) throws(StoreOpenError) -> String {
        let text: String
        do {
            text = try FileContent("\(path)/CURRENT").withOctets { String(decoding: $0, as: UTF8.self) }
        } catch {
            throw .damaged(file: "CURRENT", detail: "\(error)")
        }
        let name = String(text.dropLast())
        guard text.last == "\n", name.hasPrefix("MANIFEST-"), let number = Self.number(of: name) else {
            throw .damaged(file: "CURRENT", detail: "it names no manifest")
        }
        let witnessed = Witness.notes(in: path).manifest
        guard files.contains(name), witnessed.map({ number >= $0.number }) ?? true else {
            // Which of the two is wrong, the other manifests tell.
            let others = files.filter { $0.hasPrefix("MANIFEST-") }
            guard others.isEmpty else {
                throw .damaged(file: "CURRENT", detail: "it names \(name), but \(others.last!) is there")
            }
            throw .damaged(file: name, detail: "it is missing")
        }
        return name
    }

    /// Reads a manifest of which every octet is as it was written.
    func manifest(named name: String) throws(StoreOpenError) -> Manifest {
        do {
            let content = try FileContent("\(path)/\(name)")
            var inspection = LogInspection(.manifest)
            if let finding = content.withOctets({ inspection.next(name, $0) }) {
                throw StoreOpenError(finding)
            }
            let witnessed = Witness.notes(in: path).manifest
            let octets = content.withOctets { $0.count }
            if let witnessed, witnessed.number == Self.number(of: name), octets < witnessed.octets {
                throw StoreOpenError.damaged(
                    file: name, detail: "it is \(octets) octets long, and was \(witnessed.octets)")
            }
            guard let manifest = content.withOctets({ Manifest($0) }) else {
                throw StoreOpenError.damaged(file: name, detail: "it does not say what the store consists of")
            }
            return manifest
        } catch let error as StoreOpenError {
            throw error
        } catch let error as FileContent.Failure where error.isMissing {
            throw .damaged(file: name, detail: "it is missing")
        } catch {
            throw .failed(detail: "\(name): \(error)")
        }
    }

    private func inspectLogs(of manifest: Manifest, among files: [String]) throws(StoreOpenError) {
        if let finding = witnessedLogDamage(firstLog: manifest.firstLog) { throw StoreOpenError(finding) }
        var inspection = LogInspection(.writeAhead)
        try inspect(logs(of: manifest, among: files), by: &inspection)
    }

    func logs(of manifest: Manifest, among files: [String]) -> [String] {
        files.filter { $0.hasSuffix(".log") && Self.number(of: $0).map { $0 >= manifest.firstLog } ?? false }
    }

    /// What the log lacks that was written last, of what was synced.
    func witnessedLogDamage(firstLog: UInt64) -> StoreFinding? {
        guard let note = Witness.notes(in: path).log, note.number >= firstLog else { return nil }
        return lengthDamage(of: Examination.name(ofLog: note.number), octets: note.octets, orMore: true)
    }

    /// Octets that were synced and are not there any more.
    func missingLogOctets(firstLog: UInt64) -> Int {
        guard let note = Witness.notes(in: path).log, note.number >= firstLog else { return 0 }
        return max(0, note.octets - (size(of: Examination.name(ofLog: note.number)) ?? 0))
    }

    /// Throws the name of the damaged log, where RocksDB only said that there is one.
    func nameDamage() throws(StoreOpenError) {
        var inspection = LogInspection(.writeAhead, checksAll: true)
        try inspect(files.filter { $0.hasSuffix(".log") }, by: &inspection)
    }

    func inspect(_ names: [String], by inspection: inout LogInspection) throws(StoreOpenError) {
        for name in names {
            let content: FileContent
            do throws(FileContent.Failure) { content = try FileContent("\(path)/\(name)") } catch {
                throw .failed(detail: "\(name): \(error)")
            }
            if let finding = content.withOctets({ inspection.next(name, $0) }) {
                throw StoreOpenError(finding)
            }
        }
    }
}

extension StoreOpenError {
    init(_ finding: StoreFinding) { self = .damaged(file: finding.file, detail: finding.detail) }

    init(_ error: DatabaseError, directory: String) {
        switch error {
        case .damaged(let detail):
            self = .damaged(file: error.fileName ?? "the database", detail: detail)
        case .other(let detail) where detail.contains("While lock file"):
            self = .locked(directory: directory)
        case .other(let detail) where detail.contains("No such file"):
            self = .damaged(file: error.fileName ?? "the database", detail: detail)
        case .noSpace(let detail), .busy(let detail), .other(let detail):
            self = .failed(detail: detail)
        }
    }
}

extension DatabaseError {
    var finding: StoreFinding { StoreFinding(file: fileName ?? "the store", detail: detail) }

    /// The first word of RocksDB's text that ends like one of its files; a manifest last, as it is named
    /// along with others.
    var fileName: String? {
        let words = detail.split(whereSeparator: { " :,;()\"".contains($0) }).map {
            $0.split(separator: "/").last ?? $0
        }
        let file = words.first { word in [".sst", ".log", ".blob"].contains { word.hasSuffix($0) } }
        return (file ?? words.first { $0.hasPrefix("MANIFEST-") }).map(String.init)
    }
}
