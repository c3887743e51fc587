import Glibc

/// Knows which log RocksDB is writing, and how long it is: the library does not tell.
///
/// It belongs to the writer's thread, which alone makes the log grow.
struct LogWatch: ~Copyable {
    private let directory: StoreDirectory
    private var file: Int32 = -1
    private var number: UInt64 = 0
    private var octets = 0

    init(_ directory: StoreDirectory) { self.directory = directory }

    deinit { if file >= 0 { close(file) } }

    /// The log after a batch was synced; nil: it cannot be told.
    ///
    /// - Parameter isSure: false where something else was written as well since the last time, so that a log
    /// that
    ///   has grown need not be the one that is written now.
    mutating func look(isSure: Bool) -> Witness.Note? {
        if !isSure || !hasGrown() {
            openNewest()
            guard hasGrown() else { return nil }
        }
        return Witness.Note(number: number, octets: octets)
    }

    private mutating func hasGrown() -> Bool {
        guard file >= 0 else { return false }
        var status = stat()
        guard fstat(file, &status) == 0, Int(status.st_size) > octets else { return false }
        octets = Int(status.st_size)
        return true
    }

    private mutating func openNewest() {
        guard let name = directory.files.last(where: { $0.hasSuffix(".log") }),
            let newest = StoreDirectory.number(of: name), newest != number || file < 0
        else { return }
        if file >= 0 { close(file) }
        file = open("\(directory.path)/\(name)", O_RDONLY | O_CLOEXEC)
        number = newest
        octets = 0
    }
}
