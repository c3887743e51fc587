import MailValues

/// One examination of the open store: every table, every blob file, every checksum, while mail comes and
/// goes.
///
/// What it finds, the store's health tells. A file that went meanwhile is none, and neither is a damaged
/// record that no message needs any more.
struct OpenExamination {
    let directory: StoreDirectory
    let database: OpenDatabase
    let health: StoreHealth
    /// Hears how many octets were read; false ends the examination.
    let goOn: (Int) -> Bool

    /// Times that a manifest is read anew because it was replaced under our eyes.
    private static let manifestTries = 5

    func run() {
        guard let manifest = manifest() else { return }
        let examination = Examination(directory: directory, goOn: goOn)
        for number in manifest.tables.keys.sorted() {
            guard goOn(0) else { return }
            if let finding = examination.table(number), self.manifest()?.tables[number] != nil {
                health.found(finding)
            }
        }
        for (number, blob) in manifest.blobs.sorted(by: { $0.key < $1.key }) {
            guard goOn(0) else { return }
            let finding = examination.blob(number, blob) { record in
                if isNeeded(record.key) { return health.found(record.finding) }
                guard !record.isHeadIntact else { return }
                // Whose it was, its key does not tell for certain.
                health.found(StoreFinding(file: record.finding.file, detail: record.finding.detail))
            }
            if let finding, self.manifest()?.blobs[number] != nil { health.found(finding) }
        }
    }

    private func manifest() -> Manifest? {
        var last: StoreOpenError?
        for _ in 0..<Self.manifestTries {
            do throws(StoreOpenError) {
                return try directory.manifest(named: try directory.currentManifest(among: directory.files))
            } catch {
                last = error
            }
        }
        if case .damaged(let file, let detail) = last {
            health.found(StoreFinding(file: file, detail: detail))
        }
        return nil
    }

    /// Whether what stands under the key is the damaged record: what the library can read lies elsewhere.
    private func isNeeded(_ key: [UInt8]) -> Bool {
        do throws(DatabaseError) {
            _ = try database.read { (database) throws(DatabaseError) in
                try database.get(.content, key) { $0.count }
            }
            return false
        } catch {
            return error.isDamage
        }
    }
}
