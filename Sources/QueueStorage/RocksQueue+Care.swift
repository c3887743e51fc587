package import QueueEngine

/// What an operator asks of a store.
extension RocksQueue {
    /// What it has done and holds; cheap enough to be asked every second.
    package var statistics: StoreStatistics {
        var statistics = health.statistics
        statistics.freeOctets = room.freeOctets
        statistics.holdsBallast = room.holdsBallast
        statistics.reserveOctets = room.reserveOctets
        statistics.format = format
        _ = try? database.read { (database) throws(DatabaseError) in
            for family in Family.allCases {
                statistics.tableOctets += database.property("rocksdb.total-sst-files-size", family)
                statistics.blobOctets += database.property("rocksdb.total-blob-file-size", family)
                statistics.memoryOctets += database.property("rocksdb.size-all-mem-tables", family)
                statistics.tableFiles += database.property("rocksdb.num-blob-files", family)
            }
        }
        return statistics
    }

    /// Reads every file of the open store and compares its checksums. Waits for the disk; `goOn` hears how
    /// many octets were read and may end it.
    package func examine(_ goOn: @escaping (Int) -> Bool) -> StoreStatistics {
        OpenExamination(
            directory: folder, database: database, health: health, goOn: goOn
        ).run()
        return statistics
    }

    /// From now on all files are read and compared from time to time, in the background.
    package func beginExamining() {
        examiner.begin()
    }

    /// Makes a copy in `directory`, which must not exist yet. Whoever opens the copy finds everything held.
    ///
    /// What never changes is shared by hard links where the copy lies on the same file system.
    package func backup(to directory: String) throws(StoreError) {
        do throws(DatabaseError) {
            let done: Void? = try database.read { (database) throws(DatabaseError) in
                try database.checkpoint(to: directory)
            }
            guard done != nil else { throw DatabaseError.other("the store is not open") }
        } catch {
            throw .sick(detail: error.detail)
        }
        guard StoreMarker.restore.write(into: directory) else {
            throw .sick(detail: "\(directory): the marker was not written")
        }
    }

    /// What is queued now is held from the next opening on, as in a restored copy: somebody else may have delivered it.
    /// Waits for the disk; false: nothing was written.
    package func holdAtNextOpening(by who: String, reason: String) -> Bool {
        StoreMarker(by: who, reason: reason).write(into: folder.path)
    }

    /// Lets the store be written in the newest format that this version knows, which the version before may
    /// not read.
    ///
    /// There is one format so far: it says what is, and changes nothing.
    package func upgrade() -> (from: UInt32, to: UInt32) { (format, StoredState.newestFormat) }
}
