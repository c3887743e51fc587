/// What a manifest says is in the store, once all of its edits are applied.
struct Manifest: Equatable {
    struct Table: Equatable {
        var family: UInt32
        var octets: Int
        var oldestBlob: UInt64
    }

    struct Blob: Equatable {
        var family: UInt32
        var count: UInt64
        /// Of all records, without the file's header and footer.
        var recordOctets: Int
        var garbageCount: UInt64 = 0
        var fileOctets: Int { BlobFile.headerOctets + recordOctets + BlobFile.footerOctets }
    }

    private(set) var families: [UInt32: String] = [:]
    private(set) var tables: [UInt64: Table] = [:]
    private var allBlobs: [UInt64: Blob] = [:]
    /// Logs that were closed, and how much of each was synced.
    private(set) var closedLogs: [UInt64: Int] = [:]
    /// The first log that each family still needs.
    private var firstLogs: [UInt32: UInt64] = [:]
    private(set) var lastSequence: UInt64 = 0

    private var firstLogKept: UInt64 = 0

    /// Logs before this one are done with, though they may still be there.
    var firstLog: UInt64 { max(firstLogs.values.min() ?? 0, firstLogKept) }

    func number(of family: Family) -> UInt32? { families.first { $0.value == family.name }?.key }

    /// Blob files that some table may point into, as RocksDB reckons when it opens.
    var blobs: [UInt64: Blob] {
        let linked = Set(tables.values.map(\.oldestBlob)).subtracting([0])
        let first = linked.min() ?? 0
        return allBlobs.filter { number, blob in
            number >= first && (linked.contains(number) || blob.garbageCount < blob.count)
        }
    }

    /// Reads a manifest of which every record was found intact; nil: it says what we do not understand.
    init?(_ octets: UnsafeRawBufferPointer) {
        var records = LogRecords(octets)
        var group: [Edit] = []
        while true {
            var edit: Edit?
            guard records.next({ edit = $1 ? Edit($0) : nil }) else { break }
            guard let edit else { return nil }
            // Edits of one group hold together or not at all.
            group.append(edit)
            guard edit.remainingInGroup == 0 else { continue }
            for edit in group { apply(edit) }
            group.removeAll()
        }
        guard !families.isEmpty || lastSequence > 0 else { return nil }
        families[0] = "default"
    }

    private mutating func apply(_ edit: Edit) {
        if let name = edit.familyAdded { families[edit.family] = name }
        if let log = edit.firstLog { firstLogs[edit.family] = log }
        if let sequence = edit.lastSequence { lastSequence = sequence }
        for number in edit.tablesDeleted { tables[number] = nil }
        for (number, table) in edit.tablesAdded { tables[number] = table }
        for (number, blob) in edit.blobsAdded { allBlobs[number] = blob }
        for (number, count) in edit.garbage { allBlobs[number]?.garbageCount += count }
        for (number, octets) in edit.logsClosed { closedLogs[number] = octets }
        firstLogKept = max(firstLogKept, edit.firstLogKept ?? 0, edit.logsDeletedBefore ?? 0)
        if let first = edit.logsDeletedBefore { closedLogs = closedLogs.filter { $0.key >= first } }
    }
}
