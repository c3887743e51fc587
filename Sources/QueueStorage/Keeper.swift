import MailValues
import Synchronization

/// Looks after the store once a second: counts what it holds, keeps room and ballast, and gives room back
/// when it is short.
final class Keeper: Sendable {
    private let database: OpenDatabase
    private let room: Room
    private let health: StoreHealth
    private let wake = Semaphore()
    private let isClosing = Atomic<Bool>(false)

    init(database: OpenDatabase, room: Room, health: StoreHealth) {
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

    private func reclaim() {
        _ = try? database.read { (database) throws(DatabaseError) in
            for family in [Family.content, .envelope] { try database.reclaim(family) }
        }
    }
}
