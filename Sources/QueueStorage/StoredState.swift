import CRocksDB
import MailValues
import QueueEngine
import SwiftProtobuf

/// What the store knows about itself: its format, its epoch. Kept in the family `state`.
struct StoredState: Equatable, Sendable {
    /// The newest format that this version of ours reads, and the one it writes into a new store.
    static let newestFormat: UInt32 = 1

    var format: UInt32
    var epoch: Epoch

    /// Reads the state of an opened store, or gives a new one its format.
    ///
    /// `marker` is what a backup or a repair left in the directory: then a new epoch begins, durably, before
    /// anybody reads.
    static func load(
        from database: Database, marker: StoreMarker?, now: Timestamp
    ) throws -> StoredState {
        try sweepChunks(of: database)
        let format = try database.get(.state, Key.format) { UInt32(String(decoding: $0, as: UTF8.self)) }
        guard let format else {
            let state = StoredState(format: newestFormat, epoch: Epoch())
            try state.save(to: database)
            return state
        }
        guard let format else {
            throw StoreOpenError.damaged(file: "state", detail: "the format is not a number")
        }
        guard format <= newestFormat else {
            throw StoreOpenError.formatTooNew(found: format, known: newestFormat)
        }
        var state = StoredState(format: format, epoch: try loadEpoch(from: database))
        if let marker {
            state.epoch.number += 1
            state.epoch.hold = Envelope.Hold(by: marker.by, reason: marker.reason, since: now)
            try state.save(to: database)
        }
        return state
    }

    private static func loadEpoch(from database: Database) throws -> Epoch {
        guard let stored = try database.get(.state, Key.epoch, { [UInt8]($0) }) else { return Epoch() }
        return try epoch(stored)
    }

    /// Reads what `save` wrote.
    static func epoch(_ stored: [UInt8]) throws -> Epoch {
        let body = try stored.withUnsafeBytes { [UInt8](try StoredValue.body(of: $0)) }
        let epoch = try Chappe_Queue_StoredEpoch(serializedBytes: body)
        return Epoch(number: epoch.number, hold: epoch.hasHold ? EnvelopeDecoding.hold(epoch.hold) : nil)
    }

    func save(to database: Database) throws(DatabaseError) {
        let batch = Batch()
        batch.put(database[.state], key: Key.format, value: Array("\(format)".utf8))
        if epoch.number > 0 {
            let wire = WireWriter()
            wire.octet(StoredValue.version)
            wire.number(1, epoch.number)
            if let hold = epoch.hold { wire.nested(2) { wire.hold(hold) } }
            batch.put(database[.state], key: Key.epoch, value: [UInt8](wire.octets))
        }
        try batch.write(to: database, synced: true)
    }

    /// Drops the chunks whose envelope never came: each message under way left a note, which its envelope's
    /// batch removes.
    ///
    /// † What has an envelope is a message, whatever a note says. Earlier versions removed notes here by a true
    /// delete: the library's single delete takes one put with it and all that lies between, the true delete
    /// among it, and the note of a life before stood there again, beside a message whose chunks had come anew.
    private static func sweepChunks(of database: Database) throws(DatabaseError) {
        var ids: [QueueID] = []
        try database.walk(.state, from: Key.chunksPrefix, to: Key.chunksPrefix.dropLast() + [0x30]) {
            key, _ in
            let id = UnsafeRawBufferPointer(rebasing: key.dropFirst(Key.chunksPrefix.count))
            if let id = Key.id(id) { ids.append(id) }
            return true
        }
        guard !ids.isEmpty else { return }
        let batch = Batch()
        for id in ids {
            if try database.get(.envelope, id.octets, { _ in () }) == nil {
                batch.deleteRange(database[.content], from: id.octets, to: Key.end(of: id))
            }
            batch.forgetChunks(of: id, in: database)
        }
        try batch.write(to: database, synced: true)
    }
}
