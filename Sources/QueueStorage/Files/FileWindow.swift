import Glibc

/// Reads a file piece by piece through one buffer, which is filled ahead of whoever reads in order.
///
/// Unlike a mapped file, one that shrinks or a disk that fails is an error here and not the end of the
/// process.
final class FileWindow {
    static let aheadOctets = 256 << 10

    let count: Int
    private let file: Int32
    private var buffer: UnsafeMutableRawBufferPointer
    private var held = 0..<0

    init(_ path: String) throws(FileContent.Failure) {
        file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .last() }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            close(file)
            throw .last()
        }
        count = Int(status.st_size)
        buffer = .allocate(byteCount: min(Self.aheadOctets, max(count, 1)), alignment: 16)
    }

    deinit {
        close(file)
        buffer.deallocate()
    }

    /// The octets from `offset` on, valid until the next call; nil where the file ends before them.
    func octets(at offset: Int, count wanted: Int) throws(FileContent.Failure) -> UnsafeRawBufferPointer? {
        guard offset >= 0, wanted >= 0, wanted <= count - offset else { return nil }
        if offset < held.lowerBound || offset + wanted > held.upperBound { try fill(from: offset, wanted) }
        guard offset + wanted <= held.upperBound else { return nil }
        let start = offset - held.lowerBound
        return UnsafeRawBufferPointer(rebasing: buffer[start..<(start + wanted)])
    }

    private func fill(from offset: Int, _ wanted: Int) throws(FileContent.Failure) {
        if wanted > buffer.count {
            buffer.deallocate()
            buffer = .allocate(byteCount: wanted, alignment: 16)
        }
        held = offset..<offset
        let goal = min(buffer.count, count - offset)
        while held.count < goal {
            let got = pread(
                file, buffer.baseAddress! + held.count, goal - held.count, off_t(held.upperBound))
            guard got >= 0 else {
                if errno == EINTR { continue }
                throw .last()
            }
            // The file has become shorter: whoever asked for more gets nil.
            if got == 0 { return }
            held = offset..<(held.upperBound + got)
        }
    }
}
