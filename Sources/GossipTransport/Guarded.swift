import Glibc

/// A value behind a lock of the system's.
///
/// `Mutex` would do the same. But ThreadSanitizer does not see its slow way, which is a bare futex inside of the
/// standard library, and calls each use after a contended one a race; what it is to judge here is this module.
final class Guarded<Value: ~Copyable>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: consuming sending Value) {
        self.value = value
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }
}
