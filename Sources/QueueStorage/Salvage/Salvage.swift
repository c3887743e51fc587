import MailValues
import QueueEngine

/// Puts everything that reads of a damaged store into a new one.
///
/// A message goes over whole or not at all: its envelope, its progress as far as that reads, and every octet
/// of its content, each with its checksum compared. What is left behind is named.
final class Salvage {
    /// Octets in one batch of the new store.
    private static let batchOctets = 4 << 20

    private let sources: SalvageSources
    private let database: Database
    private let blobs: BlobValues
    private let batch = Batch()
    private(set) var report = RepairReport()
    private var state = StoredState(format: StoredState.newestFormat, epoch: Epoch())
    /// Messages whose chunks were being written: nobody was promised anything.
    private var underWay: Set<QueueID> = []
    /// Named in damaged batches, and not met since.
    private var unmet: Set<QueueID>
    private let tell: (Int) -> Void

    /// - Parameter tell: hears how many messages are over, now and then.
    init(_ sources: SalvageSources, into database: Database, tell: @escaping (Int) -> Void) {
        self.sources = sources
        self.database = database
        self.tell = tell
        blobs = BlobValues(directory: sources.directory.path)
        unmet = sources.namedInDamage
        report.damages = sources.damages
        report.unreadableOctets = sources.log.unreadableOctets
    }

    func run() throws {
        try readState()
        try carryMessages()
        for id in unmet { lose(id, "it stood in a damaged record of the log; it may have been delivered") }
        for family in [Family.copy, .ledger] { try carry(family) }
        try state.save(to: database)
        try write()
        report.gone.sort { $0.id < $1.id }
        try database.flushAll()
    }

    // MARK: What the store knows of itself

    private func readState() throws {
        var entries = newest(of: .state)
        while let entry = entries.next() {
            guard entry.kind == .value else { continue }
            if entry.key == Key.format, let format = UInt32(String(decoding: entry.value, as: UTF8.self)) {
                state.format = format
            } else if entry.key == Key.epoch {
                if let epoch = try? StoredState.epoch(entry.value) { state.epoch = epoch }
            } else if entry.key.starts(with: Key.chunksPrefix) {
                let id = entry.key.dropFirst(Key.chunksPrefix.count)
                if let id = Array(id).withUnsafeBytes({ Key.id($0) }) { underWay.insert(id) }
            } else {
                batch.put(database[.state], key: entry.key, value: entry.value)
            }
        }
        guard state.format <= StoredState.newestFormat else {
            throw StoreOpenError.formatTooNew(found: state.format, known: StoredState.newestFormat)
        }
    }

    // MARK: Messages

    /// Envelopes and contents side by side, both in order of id.
    private func carryMessages() throws {
        var envelopes = newest(of: .envelope)
        var contents = newest(of: .content)
        var nextEnvelope = envelopes.next()
        var nextContent = contents.next()
        while true {
            let ids = [nextEnvelope, nextContent].compactMap { $0.flatMap(Self.id) }
            guard let id = ids.min() else { break }
            let own = Self.take(id, &nextEnvelope, &envelopes)
            let pieces = Self.take(id, &nextContent, &contents)
            try carry(id, own, pieces)
        }
    }

    private static func id(_ entry: StoredEntry) -> QueueID? { entry.key.withUnsafeBytes { Key.id($0) } }

    /// The entries of `id`; what has no id at all is passed over.
    private static func take(
        _ id: QueueID, _ next: inout StoredEntry?, _ entries: inout NewestEntries
    ) -> [StoredEntry] {
        var taken: [StoredEntry] = []
        while let entry = next, Self.id(entry).map({ $0 <= id }) ?? true {
            if Self.id(entry) == id { taken.append(entry) }
            next = entries.next()
        }
        return taken
    }

    private func carry(_ id: QueueID, _ own: [StoredEntry], _ pieces: [StoredEntry]) throws {
        unmet.remove(id)
        try carryMet(id, own, pieces)
    }

    private func carryMet(_ id: QueueID, _ own: [StoredEntry], _ pieces: [StoredEntry]) throws {
        let head = own.first { $0.key.count == Key.idOctets }
        guard let head, head.kind == .value else {
            // Removed, or never promised; else a content without an envelope speaks of one.
            let isLeft = pieces.contains { $0.kind != .removed } && head == nil && !underWay.contains(id)
            if isLeft { lose(id, "its envelope is gone; it may have been delivered") }
            return
        }
        let envelope: Envelope
        do throws(StoredValueError) {
            let decoded = try EnvelopeDecoding.envelope(id, stored: head.value)
            envelope = decoded.envelope
            state.epoch.number = max(state.epoch.number, decoded.epoch)
        } catch {
            return lose(id, "its envelope cannot be read: \(error)")
        }
        guard let content = readable(pieces, of: envelope) else { return }
        for entry in content {
            batch.put(database[.content], key: entry.key, value: try octets(of: entry))
            try writeIfLarge()
        }
        batch.put(database[.envelope], key: head.key, value: head.value)
        for entry in own where entry.kind == .value && entry.key.count == Key.numberedOctets {
            guard isReadable(entry, of: envelope) else {
                report.damages.append("progress of \(id) cannot be read: it goes on as if untried")
                continue
            }
            batch.put(database[.envelope], key: entry.key, value: entry.value)
        }
        report.messages += 1
        if report.messages.isMultiple(of: 1000) { tell(report.messages) }
        try writeIfLarge()
    }

    /// The pieces of a content in order; nil, and told, if one is not there or does not read.
    private func readable(_ pieces: [StoredEntry], of envelope: Envelope) -> [StoredEntry]? {
        var content: [StoredEntry] = []
        for number in 0..<max(1, envelope.chunkCount) {
            guard let piece = pieces.first(where: { $0.key == Key.numbered(envelope.id, number) }),
                piece.kind != .removed
            else {
                lose(envelope, "its content is gone")
                return nil
            }
            do throws(BlobValues.Damage) { _ = try octets(of: piece) } catch {
                lose(envelope, "its content cannot be read: \(error)")
                return nil
            }
            content.append(piece)
        }
        return content
    }

    private func octets(of entry: StoredEntry) throws(BlobValues.Damage) -> [UInt8] {
        do throws(BlobValues.Damage) {
            return entry.kind == .blob ? try blobs.value(of: entry) : entry.value
        } catch {
            for twin in entry.twins { if let octets = try? octets(of: twin) { return octets } }
            throw error
        }
    }

    private func isReadable(_ entry: StoredEntry, of envelope: Envelope) -> Bool {
        entry.value.withUnsafeBytes { octets in
            guard let number = entry.key.withUnsafeBytes({ Key.number($0) }) else { return false }
            if number == Key.amendment { return (try? EnvelopeDecoding.envelope(envelope.id, octets)) != nil }
            return Int(number) < envelope.recipients.count && (try? EnvelopeDecoding.progress(octets)) != nil
        }
    }

    private func lose(_ envelope: Envelope, _ reason: String) {
        let to = envelope.recipients.prefix(3).map(\.mailbox.description).joined(separator: ", ")
        let more = envelope.recipients.count > 3 ? " and \(envelope.recipients.count - 3) more" : ""
        lose(envelope.id, "from \(envelope.reversePath) to \(to)\(more): \(reason)")
    }

    private func lose(_ id: QueueID, _ reason: String) {
        report.gone.append(RepairReport.Gone(id: id, reason: reason))
    }

    // MARK: The rest

    private func carry(_ family: Family) throws {
        var entries = newest(of: family)
        while let entry = entries.next() {
            guard entry.kind == .value else { continue }
            batch.put(database[family], key: entry.key, value: entry.value)
            try writeIfLarge()
        }
    }

    private func newest(of family: Family) -> NewestEntries {
        NewestEntries(
            sources.cursors(of: family) { [self] in report.damages.append("\($0) (\(family.name))") })
    }

    private func writeIfLarge() throws {
        if batch.octets >= Self.batchOctets { try write() }
    }

    private func write() throws {
        guard !batch.isEmpty else { return }
        try batch.write(to: database, synced: true)
        batch.removeAll()
    }
}
