import Glibc

/// Keeps other processes out of the directory from before it is looked over until it is closed.
///
/// RocksDB has a lock of its own, but takes it only when it opens: too late for those who inspect logs first.
final class DirectoryLock: Sendable {
    private let file: Int32

    init(_ directory: String) throws(StoreOpenError) {
        file = Glibc.open("\(directory)/chappe.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .failed(detail: "\(directory)/chappe.lock: \(String(cString: strerror(errno)))")
        }
        // `deinit` closes it, thrown or not: everything is initialised.
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else { throw .locked(directory: directory) }
    }

    deinit {
        // Said, not left to the close: between a fork and its exec a child holds the same open file, and with
        // it the lock.
        release()
        Glibc.close(file)
    }

    /// Lets others in at once, whoever still holds this object.
    func release() { _ = flock(file, LOCK_UN) }
}
