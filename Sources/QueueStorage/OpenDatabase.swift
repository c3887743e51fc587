import Glibc

/// The open database, which may be replaced or gone: readers share it, the writer's thread alone changes it.
final class OpenDatabase: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)
    private var current: Database?

    init(_ database: Database) {
        current = database
        pthread_rwlock_init(lock, nil)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    /// nil while there is none.
    func read<R>(_ body: (Database) throws(DatabaseError) -> R) throws(DatabaseError) -> R? {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        guard let current else { return nil }
        return try body(current)
    }

    /// For the writer's thread, which need not lock to see what only it changes.
    var ofWriter: Database? { current }

    /// Closes the old one before `open` makes the new one: two cannot be open in one directory.
    func replace(_ open: () throws(DatabaseError) -> Database?) throws(DatabaseError) {
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        current = nil
        current = try open()
    }
}
