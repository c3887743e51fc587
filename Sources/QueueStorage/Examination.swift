/// Reads the files of a store and compares what stands in them with what was written.
struct Examination {
    let directory: StoreDirectory
    /// Hears how many octets were read; false ends the examination.
    let goOn: (Int) -> Bool

    static func name(ofTable number: UInt64) -> String { padded(number) + ".sst" }
    static func name(ofBlob number: UInt64) -> String { padded(number) + ".blob" }
    static func name(ofLog number: UInt64) -> String { padded(number) + ".log" }

    private static func padded(_ number: UInt64) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// Compares the checksum of every block. nil: all are right, or it was ended.
    func table(_ number: UInt64) -> StoreFinding? {
        let name = Self.name(ofTable: number)
        do {
            let file = try TableFile(try FileWindow("\(directory.path)/\(name)"))
            _ = try file.properties()
            for handle in try file.dataBlocks() {
                try file.check(handle)
                guard goOn(handle.octets) else { return nil }
            }
            return nil
        } catch {
            return StoreFinding(file: name, detail: "\(error)")
        }
    }

    /// A record of a blob file whose checksums are wrong.
    struct BadRecord {
        var finding: StoreFinding
        /// As it stands there.
        var key: [UInt8]
        /// Whether its lengths are right, and so the key for certain its own.
        var isHeadIntact: Bool
    }

    /// Compares the checksum of every record. What is returned keeps the file from being read to its end.
    func blob(
        _ number: UInt64, _ blob: Manifest.Blob, report: (BadRecord) -> Void
    ) -> StoreFinding? {
        let name = Self.name(ofBlob: number)
        do throws(FileContent.Failure) {
            let window = try FileWindow("\(directory.path)/\(name)")
            let end = BlobFile.headerOctets + blob.recordOctets
            var offset = BlobFile.headerOctets
            while offset < end {
                let next = try record(at: offset, in: window, end: end, name, report)
                guard goOn(next - offset) else { return nil }
                offset = next
            }
            return nil
        } catch {
            return StoreFinding(file: name, detail: error.isMissing ? "it is missing" : "\(error)")
        }
    }

    /// Looks at one record; returns where the next one begins.
    private func record(
        at offset: Int, in window: FileWindow, end: Int, _ name: String, _ report: (BadRecord) -> Void
    ) throws(FileContent.Failure) -> Int {
        let bodyStart = offset + BlobFile.recordHeaderOctets
        guard
            let octets = try window.octets(at: offset, count: min(BlobFile.recordHeaderOctets, end - offset))
        else { throw FileContent.Failure(description: "it ends before octet \(offset)", isMissing: false) }
        if let head = BlobFile.RecordHead(octets), bodyStart + head.bodyOctets <= end,
            let body = try window.octets(at: bodyStart, count: head.bodyOctets)
        {
            if !head.fits(body) {
                report(badRecord(name, offset, key: [UInt8](body.prefix(head.keyOctets)), isHeadIntact: true))
            }
            return bodyStart + head.bodyOctets
        }
        let key = try window.octets(at: bodyStart, count: Key.numberedOctets).map { [UInt8]($0) } ?? []
        report(badRecord(name, offset, key: key, isHeadIntact: false))
        // The next record is where the next head reads right.
        var next = offset + 1
        while next + BlobFile.recordHeaderOctets <= end {
            if let octets = try window.octets(at: next, count: BlobFile.recordHeaderOctets),
                BlobFile.RecordHead(octets) != nil
            {
                return next
            }
            next += 1
        }
        return end
    }

    private func badRecord(
        _ name: String, _ offset: Int, key: [UInt8], isHeadIntact: Bool
    ) -> BadRecord {
        let finding = StoreFinding(
            file: name, detail: "the record at octet \(offset) is damaged",
            id: key.withUnsafeBytes { Key.id($0) })
        return BadRecord(finding: finding, key: key, isHeadIntact: isHeadIntact)
    }
}

extension StoreDirectory {
    /// Files that a manifest names and that are gone, or whose length or ends are not as they were written:
    /// what can be told without reading them.
    func endDamages(of manifest: Manifest) -> [StoreFinding] {
        var findings: [StoreFinding] = []
        for (number, table) in manifest.tables.sorted(by: { $0.key < $1.key }) {
            let name = Examination.name(ofTable: number)
            if let wrong = lengthDamage(of: name, octets: table.octets) { findings.append(wrong) }
        }
        for (number, blob) in manifest.blobs.sorted(by: { $0.key < $1.key }) {
            let name = Examination.name(ofBlob: number)
            if let wrong = lengthDamage(of: name, octets: blob.fileOctets) ?? endDamage(of: name, blob) {
                findings.append(wrong)
            }
        }
        for (number, octets) in manifest.closedLogs.sorted(by: { $0.key < $1.key })
        where number >= manifest.firstLog {
            let name = Examination.name(ofLog: number)
            if let wrong = lengthDamage(of: name, octets: octets, orMore: true) { findings.append(wrong) }
        }
        return findings
    }

    func lengthDamage(of file: String, octets: Int, orMore: Bool = false) -> StoreFinding? {
        guard let size = size(of: file) else { return StoreFinding(file: file, detail: "it is missing") }
        guard size != octets, !(orMore && size > octets) else { return nil }
        return StoreFinding(file: file, detail: "it is \(size) octets long, and was \(octets)")
    }

    private func endDamage(of name: String, _ blob: Manifest.Blob) -> StoreFinding? {
        do throws(FileContent.Failure) {
            let window = try FileWindow("\(path)/\(name)")
            guard let header = try window.octets(at: 0, count: BlobFile.headerOctets).map(Array.init),
                let footer = try window.octets(
                    at: window.count - BlobFile.footerOctets, count: BlobFile.footerOctets)
            else { return StoreFinding(file: name, detail: "it is shorter than its ends") }
            let complaint = header.withUnsafeBytes {
                BlobFile.complaint(header: $0, footer: footer, of: blob)
            }
            return complaint.map { StoreFinding(file: name, detail: $0) }
        } catch {
            return StoreFinding(file: name, detail: "\(error)")
        }
    }

    /// Compares the checksums of the tables that the queue stands in, for as long as a start may take for it;
    /// the examination of the open store looks at all.
    func checkTables(of manifest: Manifest, patience: Duration) throws(StoreOpenError) {
        let families = [Family.state, .envelope, .content].compactMap { manifest.number(of: $0) }
        let end = ContinuousClock.now + patience
        let examination = Examination(directory: self) { _ in ContinuousClock.now < end }
        for family in families {
            // The newest first: they hold what was least looked at.
            for number in manifest.tables.filter({ $0.value.family == family }).keys.sorted(by: >) {
                guard ContinuousClock.now < end else { return }
                if let finding = examination.table(number) { throw StoreOpenError(finding) }
            }
        }
    }
}
