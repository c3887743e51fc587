package import MailValues
package import QueueEngine
import Threads

/// The durable queue in RocksDB.
///
/// One thread writes (`Writer`), another keeps room and counts (`Keeper`); reads are on the caller's thread.
package final class RocksQueue: QueueStore {
    let folder: StoreDirectory
    let options: StoreOptions
    let database: OpenDatabase
    let health = StoreHealth()
    let room: Room
    let epoch: Epoch
    private let lock: DirectoryLock
    private let witness: Witness
    let examiner: Examiner
    private let inbox = Inbox()
    private let keeper: Keeper
    private let threads: [WorkerThread]
    /// The format of the values in this store.
    package let format: UInt32
    /// Why everything that was queued when this copy was opened is held, if it is.
    package var heldSince: Envelope.Hold? { epoch.hold }

    private init(
        folder: StoreDirectory, options: StoreOptions, lock: consuming DirectoryLock, database: Database,
        state: StoredState,
        now: Timestamp
    ) {
        self.folder = folder
        self.options = options
        self.lock = lock
        self.database = OpenDatabase(database)
        epoch = state.epoch
        format = state.format
        room = Room(directory: folder.path, options: options)
        health.counted(database.property("rocksdb.estimate-num-keys", .envelope), before: 0)
        witness = Witness(folder.path)
        witness.forgetLog()
        keeper = Keeper(
            database: self.database, room: room, health: health, directory: folder, witness: witness)
        keeper.look()
        keeper.witnessManifest()
        examiner = Examiner(directory: folder, database: self.database, health: health, options: options)
        let writer = Writer(
            inbox: inbox, database: self.database, room: room, health: health, options: options,
            witness: witness, directory: folder, epoch: state.epoch.number, openedAt: now
        ) { () throws(DatabaseError) in
            do throws(StoreOpenError) { try folder.inspect(mayCreate: false) } catch {
                throw .damaged("Corruption: \(error)")
            }
            return try Database(directory: folder.path, options: options, recovery: .tolerateCorruptedTail)
        }
        threads = [
            WorkerThread(name: "store-writer") { writer.run() },
            WorkerThread(name: "store-keeper") { [keeper] in keeper.run() },
            WorkerThread(name: "store-examiner") { [examiner] in examiner.run() },
        ]
    }

    /// Opens the store in `directory`, or makes it.
    ///
    /// Refuses what is damaged, rather than open it with a hole. `now` parts what this process writes from
    /// what it found.
    package static func open(
        directory: String, options wished: StoreOptions = StoreOptions(), now: Timestamp
    ) throws(StoreOpenError) -> RocksQueue {
        let directory = try StoreDirectory(directory, create: wished.createIfMissing)
        let lock = try DirectoryLock(directory.path)
        let options = wished.fitted(to: Room.capacity(of: directory.path) ?? .max)
        if let manifest = try directory.inspect(mayCreate: wished.createIfMissing) {
            try directory.checkTables(of: manifest, patience: options.startExamination)
        }
        do {
            let database = try Database(
                directory: directory.path, options: options, recovery: .tolerateCorruptedTail)
            let state = try StoredState.load(from: database, marker: directory.marker, now: now)
            directory.removeMarker()
            return RocksQueue(
                folder: directory, options: options, lock: lock, database: database, state: state, now: now)
        } catch let error as DatabaseError {
            if case .damaged = error { try directory.nameDamage() }
            throw StoreOpenError(error, directory: directory.path)
        } catch let error as StoreOpenError {
            throw error
        } catch {
            throw .failed(detail: "\(error)")
        }
    }

    /// Writes what waits, then closes. Commits given afterwards are refused.
    package func close() {
        inbox.close()
        keeper.close()
        examiner.close()
        for thread in threads { thread.join() }
        try? database.replace { () throws(DatabaseError) in nil }
        lock.release()
    }

    // MARK: QueueStore, writing

    package var intakeRefusal: StoreError? {
        guard health.isWell else { return health.refusal }
        return room.mayTakeMail ? nil : .full
    }

    package var deliveryRefusal: StoreError? {
        guard health.isWell else { return health.refusal }
        return room.mayDeliver ? nil : .full
    }

    package var isCertain: Bool { health.isWell }

    package func commit(_ changes: [QueueChange], lane: any Lane, completion: @escaping StoreCompletion) {
        let commit = Inbox.Commit(changes: changes, lane: lane, completion: completion)
        guard !inbox.put({ $0.commits.append(commit) }) else { return }
        lane.run { completion(.failure(.sick(detail: "the store is closed"))) }
    }

    package func withdraw(_ id: QueueID) {
        guard let commit = inbox.withdraw(id) else { return }
        commit.lane.run {
            commit.completion(.failure(.sick(detail: "the store did not begin with it in time")))
        }
    }

    package func writeChunk(
        _ id: QueueID, number: UInt32, octets: [[UInt8]], lane: any Lane,
        completion: @escaping StoreCompletion
    ) {
        let chunk = Inbox.Chunk(id: id, number: number, octets: octets, lane: lane, completion: completion)
        guard !inbox.put({ $0.chunks.append(chunk) }) else { return }
        lane.run { completion(.failure(.sick(detail: "the store is closed"))) }
    }

    package func dropChunks(_ id: QueueID, count: UInt32) {
        // Where the store is closing, the next start sweeps them.
        _ = inbox.put { $0.drops.append((id, count)) }
    }
}
