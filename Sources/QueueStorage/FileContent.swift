import Glibc

/// A file that is read as a whole, mapped into memory rather than copied.
final class FileContent: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer?
    private let count: Int

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ path: String) throws(Failure) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(description: String(cString: strerror(errno))) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Failure(description: String(cString: strerror(errno))) }
        count = Int(status.st_size)
        guard count > 0 else {
            start = nil
            return
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), mapped != MAP_FAILED else {
            throw Failure(description: String(cString: strerror(errno)))
        }
        start = mapped
    }

    deinit { if let start { munmap(start, count) } }

    func withOctets<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        body(UnsafeRawBufferPointer(start: start, count: count))
    }
}
