import MailValues

/// The files of a damaged store that count, and what is wrong with them before a value is read.
struct SalvageSources {
    let directory: StoreDirectory
    /// nil: it is damaged or gone, so that every file that is there is taken for part of the store.
    private(set) var manifest: Manifest?
    private(set) var tables: [(name: String, family: Family)] = []
    private(set) var log = LogEntries()
    private(set) var damages: [String] = []
    /// What one octet of is read needs about one octet of room in the new store.
    private(set) var octets = 0
    private var families: [UInt32: Family]

    /// In the order in which a new store makes them; 0 is a family that we leave empty.
    private static let familiesOfOurs = Dictionary(
        uniqueKeysWithValues: Family.allCases.map { (UInt32($0.rawValue) + 1, $0) })

    init(_ directory: StoreDirectory) throws(StoreOpenError) {
        self.directory = directory
        families = Self.familiesOfOurs
        let files = directory.files
        let complaint: String?
        (manifest, complaint) = directory.bestManifest(among: files)
        if let complaint { damages.append(complaint) }
        if let manifest {
            families = [:]
            for family in Family.allCases {
                if let number = manifest.number(of: family) { families[number] = family }
            }
            damages += directory.endDamages(of: manifest).map { "\($0.file): \($0.detail)" }
        }
        if let finding = directory.witnessedLogDamage(firstLog: manifest?.firstLog ?? 0) {
            damages.append(finding.description)
        }
        findTables(among: files)
        try readLogs(among: files)
        octets += files.reduce(0) { $0 + ($1.hasSuffix(".blob") ? directory.size(of: $1) ?? 0 : 0) }
    }

    /// All versions of a family's values; `complain` hears of what does not read.
    func cursors(of family: Family, complain: @escaping (String) -> Void) -> [EntryCursor] {
        var cursors: [EntryCursor] = []
        for table in tables where table.family == family {
            do throws(FileContent.Failure) {
                let window = try FileWindow("\(directory.path)/\(table.name)")
                cursors.append(EntryCursor.of(window) { complain("\(table.name): \($0)") })
            } catch {
                complain("\(table.name): \(error)")
            }
        }
        for (number, entries) in log.byFamily where families[number] == family {
            cursors.append(EntryCursor.of(entries))
        }
        return cursors
    }

    /// Messages whose envelopes seem to have stood in damaged batches of the logs.
    var namedInDamage: Set<QueueID> {
        log.named.reduce(into: []) { if families[$1.key] == .envelope { $0.formUnion($1.value) } }
    }

    private mutating func findTables(among files: [String]) {
        for name in files where name.hasSuffix(".sst") {
            guard let number = StoreDirectory.number(of: name) else { continue }
            if let manifest {
                guard let table = manifest.tables[number] else { continue }
                // Ours are five; the library's own stays empty.
                guard let family = families[table.family] else { continue }
                tables.append((name, family))
            } else if let family = familyNamed(in: name) {
                tables.append((name, family))
            } else {
                damages.append("\(name): it does not say what it holds, and so does nothing else")
            }
            octets += directory.size(of: name) ?? 0
        }
    }

    private func familyNamed(in file: String) -> Family? {
        guard let window = try? FileWindow("\(directory.path)/\(file)"), let table = try? TableFile(window),
            let name = try? table.properties()["rocksdb.column.family.name"]
        else { return nil }
        return Family.allCases.first { Array($0.name.utf8) == name }
    }

    private mutating func readLogs(among files: [String]) throws(StoreOpenError) {
        let first = manifest?.firstLog ?? 0
        for name in files where name.hasSuffix(".log") {
            guard let number = StoreDirectory.number(of: name), number >= first else { continue }
            do throws(FileContent.Failure) {
                let before = log.unreadableOctets
                try FileContent("\(directory.path)/\(name)").withOctets { log.read($0) }
                let unreadable = log.unreadableOctets - before
                if unreadable > 0 { damages.append("\(name): \(unreadable) octets cannot be read") }
            } catch {
                throw .failed(detail: "\(name): \(error)")
            }
            octets += directory.size(of: name) ?? 0
        }
    }
}

extension StoreDirectory {
    /// The manifest that CURRENT names, or the newest other one that reads whole; and what is wrong, if
    /// anything.
    fileprivate func bestManifest(among files: [String]) -> (Manifest?, complaint: String?) {
        var complaint: String?
        do throws(StoreOpenError) {
            return (try manifest(named: try currentManifest(among: files)), nil)
        } catch {
            if case .damaged(let file, let detail) = error {
                complaint = "\(file): \(detail)"
            } else {
                complaint = "\(error)"
            }
        }
        // One that CURRENT does not name may be older than the store: only where it cannot be another.
        let others = files.filter { $0.hasPrefix("MANIFEST-") }
        let isCurrentWrong = complaint?.hasPrefix("CURRENT") == true
        guard isCurrentWrong, let newest = others.last, let manifest = try? manifest(named: newest) else {
            return (nil, complaint)
        }
        return (manifest, complaint)
    }
}
