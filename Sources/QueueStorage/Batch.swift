import CRocksDB
import MailValues
import QueueEngine

/// One RocksDB write batch, filled anew for each group of commits. It belongs to the writer's thread.
final class Batch {
    private let raw: OpaquePointer = rocksdb_writebatch_create()
    private let wire = WireWriter()
    private let key = UnsafeMutableRawPointer.allocate(byteCount: Key.longestOctets, alignment: 8)
    private var ledgerCounter: UInt32 = 0
    /// Octets of keys and values in the batch.
    private(set) var octets = 0

    deinit {
        rocksdb_writebatch_destroy(raw)
        key.deallocate()
    }

    var isEmpty: Bool { octets == 0 }

    func removeAll() {
        rocksdb_writebatch_clear(raw)
        octets = 0
    }

    func write(to database: Database, synced: Bool) throws(DatabaseError) {
        try database.write(raw, synced ? database.syncedWrite : database.unsyncedWrite)
    }

    /// The envelope and its whole content, where that was not written ahead.
    func accept(_ message: borrowing NewMessage, epoch: UInt64, to database: Database) {
        let id = message.envelope.id
        wire.removeAll()
        wire.envelope(message.envelope, epoch: epoch, withRecipients: true)
        put(database[.envelope], id: id)
        if message.envelope.chunkCount > 0 {
            forgetChunks(of: id, in: database)
        } else {
            put(database[.content], numbered: id, 0, pieces: message.content)
        }
    }

    func progress(
        _ id: QueueID, _ index: Int, _ progress: borrowing Recipient.Progress, to database: Database
    ) {
        wire.removeAll()
        wire.progress(progress)
        put(database[.envelope], numbered: id, UInt32(index))
    }

    func amend(_ envelope: borrowing Envelope, epoch: UInt64, to database: Database) {
        wire.removeAll()
        wire.envelope(envelope, epoch: epoch, withRecipients: false)
        put(database[.envelope], numbered: envelope.id, Key.amendment)
    }

    /// Envelope and content are put once under their key and never again, so a *single delete* may take them
    /// back.
    ///
    /// It cancels its put wherever the two meet, first of all in memory, and leaves no tombstone that has to
    /// sink through all levels. Progress and amendments are put again and again: they need, and get, a true
    /// delete.
    func remove(
        _ id: QueueID, chunkCount: UInt32, recipientCount: Int, hadProgress: Bool, from database: Database
    ) {
        singleDelete(database[.envelope], id: id)
        for number in 0..<max(chunkCount, 1) { singleDelete(database[.content], numbered: id, number) }
        guard hadProgress else { return }
        for index in 0..<recipientCount { delete(database[.envelope], numbered: id, UInt32(index)) }
        delete(database[.envelope], numbered: id, Key.amendment)
    }

    func ledger(_ line: borrowing LedgerLine, to database: Database) {
        setKey(line.id)
        key.storeBytes(
            of: UInt64(bitPattern: line.at.milliseconds).bigEndian, toByteOffset: Key.idOctets,
            as: UInt64.self)
        key.storeBytes(of: ledgerCounter.bigEndian, toByteOffset: 24, as: UInt32.self)
        ledgerCounter &+= 1
        withUnsafeBytes(of: StoredValue.version) { version in
            line.line.withUnsafeBytes { text in
                putParts(database[.ledger], keyOctets: Key.ledgerOctets, [version, text])
            }
        }
    }

    func note(_ key: [UInt8], _ value: [UInt8]?, to database: Database) {
        if let value {
            put(database[.state], key: Key.notePrefix + key, value: [StoredValue.version] + value)
        } else {
            delete(database[.state], key: Key.notePrefix + key)
        }
    }

    /// A chunk; with the first one goes the note by which a start finds chunks whose envelope never came.
    func chunk(_ id: QueueID, number: UInt32, octets: [[UInt8]], to database: Database) {
        if number == 0 {
            setChunksKey(id)
            rocksdb_writebatch_put_cf(raw, database[.state], keyPointer, chunksKeyOctets, "", 0)
            self.octets += chunksKeyOctets
        }
        put(database[.content], numbered: id, number, pieces: octets)
    }

    /// † Always by a single delete, never mixed with true ones: an heir fetches a message's chunks again after a
    /// start swept them, and then the note is put a second time.
    func forgetChunks(of id: QueueID, in database: Database) { singleDelete(database[.state], chunksOf: id) }

    func dropChunks(_ id: QueueID, count: UInt32, from database: Database) {
        for number in 0..<count { singleDelete(database[.content], numbered: id, number) }
        forgetChunks(of: id, in: database)
    }

    /// Everything between two keys; for sweeping, where the number of chunks is not known.
    func deleteRange(_ family: OpaquePointer, from start: [UInt8], to end: [UInt8]) {
        start.withUnsafeBytes { start in
            end.withUnsafeBytes { end in
                rocksdb_writebatch_delete_range_cf(
                    raw, family, start.baseAddress?.assumingMemoryBound(to: CChar.self), start.count,
                    end.baseAddress?.assumingMemoryBound(to: CChar.self), end.count)
            }
        }
        octets += start.count + end.count
    }

    func put(_ family: OpaquePointer, key: [UInt8], value: [UInt8]) {
        key.withUnsafeBytes { key in
            value.withUnsafeBytes { value in
                rocksdb_writebatch_put_cf(
                    raw, family, key.baseAddress?.assumingMemoryBound(to: CChar.self), key.count,
                    value.baseAddress?.assumingMemoryBound(to: CChar.self), value.count)
            }
        }
        octets += key.count + value.count
    }

    func delete(_ family: OpaquePointer, key: [UInt8]) {
        key.withUnsafeBytes {
            rocksdb_writebatch_delete_cf(
                raw, family, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        octets += key.count
    }

    // MARK: How it is done

    private var keyPointer: UnsafePointer<CChar> { UnsafePointer(key.assumingMemoryBound(to: CChar.self)) }
    private var chunksKeyOctets: Int { Key.chunksPrefix.count + Key.idOctets }

    private func setKey(_ id: QueueID, at offset: Int = 0) {
        key.storeBytes(of: id.high.bigEndian, toByteOffset: offset, as: UInt64.self)
        key.storeBytes(of: id.low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
    }

    private func setKey(_ id: QueueID, _ number: UInt32) {
        setKey(id)
        key.storeBytes(of: number.bigEndian, toByteOffset: Key.idOctets, as: UInt32.self)
    }

    private func setChunksKey(_ id: QueueID) {
        key.copyMemory(from: Key.chunksPrefix, byteCount: Key.chunksPrefix.count)
        setKey(id, at: Key.chunksPrefix.count)
    }

    private func put(_ family: OpaquePointer, id: QueueID) {
        setKey(id)
        putWire(family, keyOctets: Key.idOctets)
    }

    private func put(_ family: OpaquePointer, numbered id: QueueID, _ number: UInt32) {
        setKey(id, number)
        putWire(family, keyOctets: Key.numberedOctets)
    }

    private func putWire(_ family: OpaquePointer, keyOctets: Int) {
        let value = wire.octets
        rocksdb_writebatch_put_cf(
            raw, family, keyPointer, keyOctets, value.baseAddress?.assumingMemoryBound(to: CChar.self),
            value.count)
        octets += keyOctets + value.count
    }

    private func put(_ family: OpaquePointer, numbered id: QueueID, _ number: UInt32, pieces: [[UInt8]]) {
        setKey(id, number)
        if pieces.count == 1 {
            pieces[0].withUnsafeBytes { piece in
                rocksdb_writebatch_put_cf(
                    raw, family, keyPointer, Key.numberedOctets,
                    piece.baseAddress?.assumingMemoryBound(to: CChar.self), piece.count)
                octets += Key.numberedOctets + piece.count
            }
        } else {
            withPieces(pieces) { putParts(family, keyOctets: Key.numberedOctets, $0) }
        }
    }

    /// One value out of many parts: the library gathers them, so that we need not.
    private func putParts(
        _ family: OpaquePointer, keyOctets: Int, _ parts: some Collection<UnsafeRawBufferPointer>
    ) {
        let count = parts.count
        var total = 0
        withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count + 1) { starts in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: count + 1) { sizes in
                var used = 0
                for part in parts where !part.isEmpty {
                    starts.initializeElement(
                        at: used, to: part.baseAddress?.assumingMemoryBound(to: CChar.self))
                    sizes.initializeElement(at: used, to: part.count)
                    total += part.count
                    used += 1
                }
                var keyStart: UnsafePointer<CChar>? = keyPointer
                var keySize = keyOctets
                rocksdb_writebatch_putv_cf(
                    raw, family, 1, &keyStart, &keySize, Int32(used), starts.baseAddress, sizes.baseAddress)
            }
        }
        octets += keyOctets + total
    }

    /// All pieces at once, each where it stands; beyond a number of pieces that no ordinary message has they
    /// are joined first.
    private func withPieces(_ pieces: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) -> Void) {
        guard pieces.count <= 128 else {
            Array(pieces.joined()).withUnsafeBytes { body([$0]) }
            return
        }
        var parts: [UnsafeRawBufferPointer] = []
        parts.reserveCapacity(pieces.count)
        func descend(_ index: Int) {
            guard index < pieces.count else { return body(parts) }
            pieces[index].withUnsafeBytes {
                parts.append($0)
                descend(index + 1)
            }
        }
        descend(0)
    }

    private func singleDelete(_ family: OpaquePointer, id: QueueID) {
        setKey(id)
        singleDelete(family, keyOctets: Key.idOctets)
    }

    private func singleDelete(_ family: OpaquePointer, numbered id: QueueID, _ number: UInt32) {
        setKey(id, number)
        singleDelete(family, keyOctets: Key.numberedOctets)
    }

    private func singleDelete(_ family: OpaquePointer, chunksOf id: QueueID) {
        setChunksKey(id)
        singleDelete(family, keyOctets: chunksKeyOctets)
    }

    private func singleDelete(_ family: OpaquePointer, keyOctets: Int) {
        rocksdb_writebatch_singledelete_cf(raw, family, keyPointer, keyOctets)
        octets += keyOctets
    }

    private func delete(_ family: OpaquePointer, numbered id: QueueID, _ number: UInt32) {
        setKey(id, number)
        rocksdb_writebatch_delete_cf(raw, family, keyPointer, Key.numberedOctets)
        octets += Key.numberedOctets
    }
}
