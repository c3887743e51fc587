/// What reading a whole store came to.
package struct StoreVerification: Sendable, Equatable {
    package var tables = 0
    package var blobFiles = 0
    package var logs = 0
    package var octets = 0
    package var findings: [StoreFinding] = []
}

extension RocksQueue {
    /// Reads every file of a store that no node has open, and compares every checksum in it. Nothing is
    /// changed.
    ///
    /// - Parameter tell: hears how many octets were read, of how many.
    package static func verify(
        directory path: String, tell: @escaping (_ octets: Int, _ all: Int) -> Void = { _, _ in }
    ) throws(StoreOpenError) -> StoreVerification {
        let directory = try StoreDirectory(path, create: false)
        let lock = try DirectoryLock(path)
        defer { lock.release() }
        var result = StoreVerification()
        let manifest: Manifest
        do throws(StoreOpenError) {
            let files = directory.files
            guard !files.isEmpty, try directory.inspect(mayCreate: false) != nil else { return result }
            manifest = try directory.manifest(named: try directory.currentManifest(among: files))
        } catch {
            guard case .damaged(let file, let detail) = error else { throw error }
            result.findings.append(StoreFinding(file: file, detail: detail))
            return result
        }
        do throws(StoreOpenError) { result.logs = try directory.checkLogs(of: manifest) } catch {
            guard case .damaged(let file, let detail) = error else { throw error }
            result.findings.append(StoreFinding(file: file, detail: detail))
        }
        let all =
            manifest.tables.values.reduce(0) { $0 + $1.octets }
            + manifest.blobs.values.reduce(0) { $0 + $1.recordOctets }
        var read = 0
        let examination = Examination(directory: directory) { octets in
            read += octets
            tell(read, all)
            return true
        }
        for number in manifest.tables.keys.sorted() {
            if let finding = examination.table(number) { result.findings.append(finding) }
        }
        var findings: [StoreFinding] = []
        for (number, blob) in manifest.blobs.sorted(by: { $0.key < $1.key }) {
            let finding = examination.blob(number, blob) { findings.append($0.finding) }
            if let finding { findings.append(finding) }
        }
        result.findings += findings
        result.tables = manifest.tables.count
        result.blobFiles = manifest.blobs.count
        result.octets = read
        return result
    }
}

extension StoreDirectory {
    /// Compares every checksum in the logs that still count; how many there are.
    fileprivate func checkLogs(of manifest: Manifest) throws(StoreOpenError) -> Int {
        let logs = logs(of: manifest, among: files)
        var inspection = LogInspection(.writeAhead, checksAll: true)
        try inspect(logs, by: &inspection)
        return logs.count
    }
}
