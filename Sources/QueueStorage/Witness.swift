import Glibc

/// A small file beside the store that knows how long the store's growing files were.
///
/// A log or a manifest that lost its end looks like one that was never longer: RocksDB opens it and misses
/// what stood there (seen with 7.8.3). So the length of the log is noted after each sync, and that of the
/// manifest now and then. The notes themselves are not synced: after a power failure they may be old, and
/// never say more than what was on the disk before them.
final class Witness: Sendable {
    static let fileName = "witness"
    /// Each note in a sector of its own, so that none is half of two.
    private static let logOffset = 0
    private static let manifestOffset = 512
    private static let fileOctets = 4096

    /// A file, by its number, and the octets of it that were on the disk.
    struct Note: Equatable, Sendable {
        var number: UInt64
        var octets: Int
    }

    private let file: Int32

    /// Where there is no room for it, there is none, and nothing is noticed by it.
    init(_ directory: String) {
        file = open("\(directory)/\(Self.fileName)", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        if file >= 0 { _ = posix_fallocate(file, 0, off_t(Self.fileOctets)) }
    }

    deinit { if file >= 0 { close(file) } }

    /// What is known of the log that was written last, and of the manifest.
    static func notes(in directory: String) -> (log: Note?, manifest: Note?) {
        guard let content = try? FileContent("\(directory)/\(fileName)") else { return (nil, nil) }
        return content.withOctets { (note($0, at: logOffset), note($0, at: manifestOffset)) }
    }

    static func remove(from directory: String) { unlink("\(directory)/\(fileName)") }

    func log(_ note: Note) { write(note, at: Self.logOffset) }
    func manifest(_ note: Note) { write(note, at: Self.manifestOffset) }

    /// What the logs held is in tables: nothing is known of a log until the next is written.
    func forgetLog() { write(Note(number: 0, octets: 0), at: Self.logOffset) }

    /// Number, octets, and a checksum over both. A note that does not read says nothing.
    private func write(_ note: Note, at offset: Int) {
        guard file >= 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 8) { octets in
            octets.storeBytes(of: note.number.littleEndian, as: UInt64.self)
            octets.storeBytes(of: UInt64(note.octets).littleEndian, toByteOffset: 8, as: UInt64.self)
            let crc = CRC32C.masked(of: UnsafeRawBufferPointer(rebasing: octets[..<16]))
            octets.storeBytes(of: crc.littleEndian, toByteOffset: 16, as: UInt32.self)
            _ = pwrite(file, octets.baseAddress, 20, off_t(offset))
        }
    }

    private static func note(_ octets: UnsafeRawBufferPointer, at offset: Int) -> Note? {
        var reader = OctetReader(octets, at: offset)
        guard let number = reader.fixed64(), let size = reader.fixed64(), let crc = reader.fixed32(),
            CRC32C.masked(of: UnsafeRawBufferPointer(rebasing: octets[offset..<(offset + 16)])) == crc,
            number > 0, let octets = Int(exactly: size)
        else { return nil }
        return Note(number: number, octets: octets)
    }
}
