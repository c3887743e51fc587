import CRocksDB
import Glibc

/// What RocksDB said, sorted by what we can do about it.
enum DatabaseError: Error {
    case damaged(String)
    case noSpace(String)
    case busy(String)
    case other(String)

    /// Takes over the text that the library allocated.
    init(taking text: UnsafeMutablePointer<CChar>) {
        let detail = String(cString: text)
        rocksdb_free(text)
        if detail.hasPrefix("Corruption") {
            self = .damaged(detail)
        } else if detail.contains("No space left") || detail.contains("Disk quota exceeded") {
            self = .noSpace(detail)
        } else if detail.hasPrefix("Result incomplete") || detail.hasPrefix("Resource busy") {
            self = .busy(detail)
        } else {
            self = .other(detail)
        }
    }

    /// What was written is not there any more, and will not come back by waiting.
    var isDamage: Bool {
        switch self {
        case .damaged: true
        // A table or a blob file that is gone.
        case .other(let detail): detail.contains("No such file")
        case .noSpace, .busy: false
        }
    }

    var detail: String {
        switch self {
        case .damaged(let detail), .noSpace(let detail), .busy(let detail), .other(let detail): detail
        }
    }
}

/// One open RocksDB with its column families, closed when let go.
///
/// RocksDB promises that a `DB` may be used by many threads without further locks; so do its handles and
/// options once made.
final class Database: @unchecked Sendable {
    let raw: OpaquePointer
    private let handles: [OpaquePointer]
    private let settings: DatabaseSettings
    private let readOptions: OpaquePointer
    let syncedWrite: OpaquePointer
    let unsyncedWrite: OpaquePointer

    /// On the calling thread: RocksDB counts each comparison of two keys for who asks for it, and nobody does.
    static func countNoComparisons() { rocksdb_set_perf_level(Int32(rocksdb_disable)) }

    init(directory: String, options: StoreOptions, recovery: RecoveryMode) throws(DatabaseError) {
        let settings = try DatabaseSettings(options, recovery: recovery)
        self.settings = settings
        let names = ["default"] + Family.allCases.map(\.name)
        var families: [OpaquePointer?] = Array(repeating: nil, count: names.count)
        var failure: UnsafeMutablePointer<CChar>?
        let cNames = names.map { strdup($0) }
        defer { for name in cNames { free(name) } }
        let opened = rocksdb_open_column_families(
            settings.database, directory, Int32(names.count), cNames.map { UnsafePointer($0) },
            [settings.small] + Family.allCases.map { settings[$0] }, &families, &failure)
        if let failure { throw DatabaseError(taking: failure) }
        guard let opened else { throw .other("no database and no error") }
        raw = opened
        handles = families.compactMap { $0 }
        readOptions = rocksdb_readoptions_create()
        rocksdb_readoptions_set_verify_checksums(readOptions, 1)
        syncedWrite = rocksdb_writeoptions_create()
        rocksdb_writeoptions_set_sync(syncedWrite, 1)
        unsyncedWrite = rocksdb_writeoptions_create()
        // A chunk waits in our own queue, where small messages can pass it, rather than in the library's.
        rocksdb_writeoptions_set_no_slowdown(unsyncedWrite, 1)
    }

    deinit {
        for handle in handles { rocksdb_column_family_handle_destroy(handle) }
        rocksdb_close(raw)
        rocksdb_readoptions_destroy(readOptions)
        rocksdb_writeoptions_destroy(syncedWrite)
        rocksdb_writeoptions_destroy(unsyncedWrite)
    }

    subscript(family: Family) -> OpaquePointer { handles[family.rawValue + 1] }

    /// The number by which batches name the family.
    func number(of family: Family) -> UInt32 { rocksdb_column_family_handle_get_id(self[family]) }

    /// The value under `key`, handed to `body` where the library holds it; nil if there is none.
    func get<R>(
        _ family: Family, _ key: [UInt8], _ body: (UnsafeRawBufferPointer) -> R
    ) throws(DatabaseError) -> R? {
        var failure: UnsafeMutablePointer<CChar>?
        let slice = key.withUnsafeBytes {
            rocksdb_get_pinned_cf(
                raw, readOptions, self[family], $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count,
                &failure)
        }
        if let failure { throw DatabaseError(taking: failure) }
        guard let slice else { return nil }
        defer { rocksdb_pinnableslice_destroy(slice) }
        var count = 0
        let value = rocksdb_pinnableslice_value(slice, &count)
        return body(UnsafeRawBufferPointer(start: value, count: count))
    }

    /// A number that RocksDB keeps about a family; 0 where it does not know.
    func property(_ name: String, _ family: Family) -> Int {
        var value: UInt64 = 0
        return rocksdb_property_int_cf(raw, self[family], name, &value) == 0 ? Int(clamping: value) : 0
    }

    func write(_ batch: OpaquePointer, _ options: OpaquePointer) throws(DatabaseError) {
        var failure: UnsafeMutablePointer<CChar>?
        rocksdb_write(raw, options, batch, &failure)
        if let failure { throw DatabaseError(taking: failure) }
    }

    /// Walks from `start` to `end` (exclusive, or the end); `body` returns false to stop.
    ///
    /// Between two bounds it fills the cache: the records of the next messages lie in the same block, and each
    /// would read and check all of it again. A walk to the end leaves the cache to others.
    func walk(
        _ family: Family, from start: [UInt8] = [], to end: [UInt8]? = nil,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(DatabaseError) {
        let options = rocksdb_readoptions_create()
        defer { rocksdb_readoptions_destroy(options) }
        rocksdb_readoptions_set_verify_checksums(options, 1)
        // A walk over everything reads ahead; one over a single id should not.
        if end == nil {
            rocksdb_readoptions_set_fill_cache(options, 0)
            rocksdb_readoptions_set_readahead_size(options, 2 << 20)
        }
        // The library keeps the pointer for as long as the walk lasts.
        let bound = UnsafeMutableRawBufferPointer.allocate(byteCount: (end?.count ?? 0) + 1, alignment: 1)
        defer { bound.deallocate() }
        if let end {
            bound.copyBytes(from: end)
            rocksdb_readoptions_set_iterate_upper_bound(
                options, bound.baseAddress?.assumingMemoryBound(to: CChar.self), end.count)
        }
        try walk(family, from: start, options, body)
    }

    private func walk(
        _ family: Family, from start: [UInt8], _ options: OpaquePointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(DatabaseError) {
        guard let iterator = rocksdb_create_iterator_cf(raw, options, self[family]) else { return }
        defer { rocksdb_iter_destroy(iterator) }
        start.withUnsafeBytes {
            rocksdb_iter_seek(iterator, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        while rocksdb_iter_valid(iterator) != 0 {
            var keyCount = 0
            var valueCount = 0
            let key = rocksdb_iter_key(iterator, &keyCount)
            let value = rocksdb_iter_value(iterator, &valueCount)
            let goOn = body(
                UnsafeRawBufferPointer(start: key, count: keyCount),
                UnsafeRawBufferPointer(start: value, count: valueCount))
            guard goOn else { return }
            rocksdb_iter_next(iterator)
        }
        // A damaged block ends a walk like the end of the data does: only this tells them apart.
        var failure: UnsafeMutablePointer<CChar>?
        rocksdb_iter_get_error(iterator, &failure)
        if let failure { throw DatabaseError(taking: failure) }
    }

    /// Writes out what is in memory and drops what was removed, to give its room back.
    func reclaim(_ family: Family) throws(DatabaseError) {
        try flush(family)
        rocksdb_compact_range_cf(raw, self[family], nil, 0, nil, 0)
    }

    /// Everything is in tables afterwards, and nothing in the log alone.
    func flushAll() throws(DatabaseError) {
        for family in Family.allCases { try flush(family) }
    }

    func flush(_ family: Family) throws(DatabaseError) {
        let options = rocksdb_flushoptions_create()
        defer { rocksdb_flushoptions_destroy(options) }
        var failure: UnsafeMutablePointer<CChar>?
        rocksdb_flush_cf(raw, options, self[family], &failure)
        if let failure { throw DatabaseError(taking: failure) }
    }

    /// A copy that shares what never changes by hard links.
    func checkpoint(to directory: String) throws(DatabaseError) {
        var failure: UnsafeMutablePointer<CChar>?
        let checkpoint = rocksdb_checkpoint_object_create(raw, &failure)
        if let failure { throw DatabaseError(taking: failure) }
        defer { rocksdb_checkpoint_object_destroy(checkpoint) }
        rocksdb_checkpoint_create(checkpoint, directory, 0, &failure)
        if let failure { throw DatabaseError(taking: failure) }
    }
}
