import Glibc
import MailValues
import Synchronization

/// Looks after the store once a second: counts what it holds, keeps room and ballast, and gives room back
/// when it is short.
final class Keeper: Sendable {
    private let database: OpenDatabase
    private let room: Room
    private let health: StoreHealth
    private let directory: StoreDirectory
    private let witness: Witness
    private let manifestSeen = Mutex(Witness.Note(number: 0, octets: 0))
    private let wake = Semaphore()
    private let isClosing = Atomic<Bool>(false)

    init(
        database: OpenDatabase, room: Room, health: StoreHealth, directory: StoreDirectory, witness: Witness
    ) {
        self.directory = directory
        self.witness = witness
        self.database = database
        self.room = room
        self.health = health
    }

    func run() {
        var waitingWhenReclaimed = Int.max
        while !isClosing.load(ordering: .acquiring) {
            wake.wait(atMost: .seconds(1))
            guard !isClosing.load(ordering: .acquiring) else { return }
            look()
            witnessManifest()
            // Short of room: what was removed since the last time still lies in the tables.
            let waiting = health.statistics.waitingMessages
            if room.mayTakeMail {
                waitingWhenReclaimed = .max
            } else if health.isWell, waiting < waitingWhenReclaimed {
                reclaim()
                waitingWhenReclaimed = waiting
                look()
            }
        }
    }

    func close() {
        isClosing.store(true, ordering: .releasing)
        wake.signal()
    }

    /// Counts, and decides about room anew.
    func look() {
        var usage = RoomPolicy.Usage(waitingMessages: health.statistics.waitingMessages)
        _ = try? database.read { (database) throws(DatabaseError) in
            for family in Family.allCases {
                usage.unwrittenOctets += database.property("rocksdb.cur-size-all-mem-tables", family)
                // The ledger is never compacted: its oldest tables are dropped whole.
                guard family != .ledger else { continue }
                usage.tableOctets += database.property("rocksdb.total-sst-files-size", family)
            }
        }
        room.look(usage)
    }

    /// Notes how long the manifest is, once that much of it is on the disk for certain.
    func witnessManifest() {
        guard let name = try? directory.currentManifest(among: directory.files),
            let number = StoreDirectory.number(of: name)
        else { return }
        manifestSeen.withLock { seen in
            let file = open("\(directory.path)/\(name)", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return }
            defer { Glibc.close(file) }
            var status = stat()
            guard fstat(file, &status) == 0 else { return }
            let now = Witness.Note(number: number, octets: Int(status.st_size))
            guard now != seen, fdatasync(file) == 0 else { return }
            witness.manifest(now)
            seen = now
        }
    }

    private func reclaim() {
        _ = try? database.read { (database) throws(DatabaseError) in
            for family in [Family.content, .envelope] { try database.reclaim(family) }
        }
    }
}
