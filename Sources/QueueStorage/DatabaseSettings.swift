import CRocksDB
import MailValues

/// What to do about a write-ahead log that does not read to its end. The raw values are RocksDB's.
enum RecoveryMode: Int32 {
    /// A record that was being written when the power failed is no damage; anything else refuses to open.
    ///
    /// The library's default is `pointInTime`, which opens without a word and drops what follows any damage.
    case tolerateCorruptedTail = 0
    /// Up to the damage and no further: for repair only.
    case pointInTime = 2
    /// Everything that reads, wherever it stands: for repair, where tables are already ahead of the damage.
    case skipAnyCorruptedRecord = 3
}

/// RocksDB's options for the database and for each family, freed when let go.
final class DatabaseSettings: @unchecked Sendable {
    let database: OpaquePointer
    let small: OpaquePointer
    private let content: OpaquePointer
    private let ledger: OpaquePointer
    private let cache: OpaquePointer
    private let environment: OpaquePointer

    subscript(family: Family) -> OpaquePointer {
        switch family {
        case .content: content
        case .ledger: ledger
        case .envelope, .copy, .state: small
        }
    }

    init(_ options: StoreOptions, recovery: RecoveryMode) throws(DatabaseError) {
        cache = rocksdb_cache_create_lru(options.blockCacheOctets)
        environment = rocksdb_create_default_env()
        // Not reachable through its own function in the C interface: the manifest remembers how long each
        // closed log was, so that one that vanished or lost its end is noticed.
        database = try Self.parsed("track_and_verify_wals_in_manifest=true")
        small = try Self.parsed("")
        content = try Self.parsed("")
        ledger = try Self.parsed("ttl=\(options.ledgerAge.components.seconds)")
        Self.fill(database, options, recovery)
        rocksdb_options_set_env(database, environment)
        for family in [small, content, ledger] { fill(family: family, options) }
        fillContent(options)
        fillLedger(options)
    }

    deinit {
        for each in [database, small, content, ledger] { rocksdb_options_destroy(each) }
        rocksdb_cache_destroy(cache)
        rocksdb_env_destroy(environment)
    }

    private static func parsed(_ text: String) throws(DatabaseError) -> OpaquePointer {
        let plain = rocksdb_options_create()!
        guard !text.isEmpty else { return plain }
        defer { rocksdb_options_destroy(plain) }
        let made = rocksdb_options_create()!
        var failure: UnsafeMutablePointer<CChar>?
        rocksdb_get_options_from_string(plain, text, made, &failure)
        if let failure {
            rocksdb_options_destroy(made)
            throw DatabaseError(taking: failure)
        }
        return made
    }

    private static func fill(_ database: OpaquePointer, _ options: StoreOptions, _ recovery: RecoveryMode) {
        rocksdb_options_set_create_if_missing(database, options.createIfMissing ? 1 : 0)
        rocksdb_options_set_create_missing_column_families(database, 1)
        rocksdb_options_set_paranoid_checks(database, 1)
        rocksdb_options_set_wal_recovery_mode(database, recovery.rawValue)
        rocksdb_options_set_max_total_wal_size(database, UInt64(options.logOctetsLargest))
        rocksdb_options_set_max_background_jobs(database, Int32(options.backgroundThreads))
        // Every table is opened with the store: an unreadable one shows at start and not at the first
        // attempt.
        rocksdb_options_set_max_open_files(database, -1)
        rocksdb_options_set_skip_stats_update_on_db_open(database, 1)
        rocksdb_options_set_bytes_per_sync(database, 1 << 20)
        // The log as well: chunks go into it unsynced, and the next small message's sync would wait for all of them.
        rocksdb_options_set_wal_bytes_per_sync(database, 512 << 10)
        // One thread writes: nothing is gained by preparing for others.
        rocksdb_options_set_allow_concurrent_memtable_write(database, 0)
        rocksdb_options_set_enable_write_thread_adaptive_yield(database, 0)
        rocksdb_options_set_stats_dump_period_sec(database, 0)
        rocksdb_options_set_stats_persist_period_sec(database, 0)
        rocksdb_options_set_avoid_unnecessary_blocking_io(database, 1)
        rocksdb_options_set_max_manifest_file_size(database, 4 << 20)
        rocksdb_options_set_manifest_preallocation_size(database, 64 << 10)
        rocksdb_options_set_keep_log_file_num(database, 2)
        rocksdb_options_set_max_log_file_size(database, 1 << 20)
        // What is fatal, and no more: the library's own log lies beside the store, and once a line of it has met a
        // full disk, the next one ends the process by an assertion (seen with 7.8.3 as Debian builds it).
        rocksdb_options_set_info_log_level(database, 4)
        rocksdb_options_set_is_fd_close_on_exec(database, 1)
    }

    private func fill(family: OpaquePointer, _ options: StoreOptions) {
        rocksdb_options_set_write_buffer_size(family, options.smallBufferOctets)
        rocksdb_options_set_max_write_buffer_number(family, 3)
        rocksdb_options_set_compression(family, Int32(rocksdb_no_compression))
        rocksdb_options_set_level_compaction_dynamic_level_bytes(family, 1)
        rocksdb_options_set_target_file_size_base(family, UInt64(options.smallBufferOctets))
        let table = rocksdb_block_based_options_create()
        rocksdb_block_based_options_set_block_cache(table, cache)
        rocksdb_block_based_options_set_block_size(table, 16 << 10)
        // CRC32C: what else guards a store is guarded by it too, and we read tables without the library where
        // one is damaged.
        rocksdb_block_based_options_set_checksum(table, 1)
        rocksdb_options_set_block_based_table_factory(family, table)
        rocksdb_block_based_options_destroy(table)
    }

    private func fillContent(_ options: StoreOptions) {
        rocksdb_options_set_write_buffer_size(content, options.contentBufferOctets)
        rocksdb_options_set_max_write_buffer_number(content, 4)
        rocksdb_options_set_enable_blob_files(content, 1)
        rocksdb_options_set_min_blob_size(content, 512)
        rocksdb_options_set_blob_file_size(content, UInt64(options.contentBufferOctets) * 2)
        rocksdb_options_set_blob_compression_type(content, Int32(rocksdb_no_compression))
        rocksdb_options_set_enable_blob_gc(content, 1)
        rocksdb_options_set_blob_gc_age_cutoff(content, 0.25)
        rocksdb_options_set_blob_gc_force_threshold(content, 0.5)
    }

    private func fillLedger(_ options: StoreOptions) {
        // Lines of JSON: a third of the size.
        rocksdb_options_set_compression(ledger, Int32(rocksdb_lz4_compression))
        rocksdb_options_set_compaction_style(ledger, Int32(rocksdb_fifo_compaction))
        let fifo = rocksdb_fifo_compaction_options_create()
        rocksdb_fifo_compaction_options_set_max_table_files_size(fifo, UInt64(options.ledgerOctets))
        rocksdb_options_set_fifo_compaction_options(ledger, fifo)
        rocksdb_fifo_compaction_options_destroy(fifo)
    }
}
