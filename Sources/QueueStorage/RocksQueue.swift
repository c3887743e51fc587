package import MailValues
package import QueueEngine

/// The durable queue in RocksDB.
///
/// One thread writes (`Writer`), another keeps room and counts (`Keeper`); reads are on the caller's thread.
package final class RocksQueue: QueueStore {
    let directory: String
    let options: StoreOptions
    let database: OpenDatabase
    let health = StoreHealth()
    let room: Room
    let epoch: Epoch
    private let lock: DirectoryLock
    private let inbox = Inbox()
    private let keeper: Keeper
    private let threads: [WorkerThread]
    /// The format of the values in this store.
    package let format: UInt32
    /// Why everything that was queued when this copy was opened is held, if it is.
    package var heldSince: Envelope.Hold? { epoch.hold }

    private init(
        directory: String, options: StoreOptions, lock: consuming DirectoryLock, database: Database,
        state: StoredState,
        now: Timestamp
    ) {
        self.directory = directory
        self.options = options
        self.lock = lock
        self.database = OpenDatabase(database)
        epoch = state.epoch
        format = state.format
        room = Room(directory: directory, options: options)
        health.counted(database.property("rocksdb.estimate-num-keys", .envelope), before: 0)
        keeper = Keeper(database: self.database, room: room, health: health)
        keeper.look()
        let writer = Writer(
            inbox: inbox, database: self.database, room: room, health: health, options: options,
            epoch: state.epoch.number, openedAt: now
        ) { () throws(DatabaseError) in
            try Database(directory: directory, options: options, recovery: .tolerateCorruptedTail)
        }
        threads = [
            WorkerThread(name: "store-writer") { writer.run() },
            WorkerThread(name: "store-keeper") { [keeper] in keeper.run() },
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
        try directory.inspect(mayCreate: wished.createIfMissing)
        do {
            let database = try Database(
                directory: directory.path, options: options, recovery: .tolerateCorruptedTail)
            try directory.checkFiles(of: database)
            let state = try StoredState.load(from: database, marker: directory.marker, now: now)
            directory.removeMarker()
            return RocksQueue(
                directory: directory.path, options: options, lock: lock, database: database, state: state,
                now: now)
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
