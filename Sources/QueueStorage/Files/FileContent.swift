import Glibc

/// A file that is read as a whole, mapped into memory rather than copied.
final class FileContent: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer?
    private let count: Int

    struct Failure: Error, CustomStringConvertible {
        let description: String
        let isMissing: Bool

        /// What the system last said on this thread.
        static func last() -> Failure {
            Failure(description: String(cString: strerror(errno)), isMissing: errno == ENOENT)
        }
    }

    init(_ path: String) throws(Failure) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .last() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .last() }
        count = Int(status.st_size)
        guard count > 0 else {
            start = nil
            return
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), mapped != MAP_FAILED else {
            throw .last()
        }
        start = mapped
    }

    deinit { if let start { munmap(start, count) } }

    func withOctets<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        body(UnsafeRawBufferPointer(start: start, count: count))
    }
}
