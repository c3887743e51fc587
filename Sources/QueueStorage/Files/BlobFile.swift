/// A file of RocksDB's in which the large values lie, one record behind the other.
///
/// A header, records, and a footer that is written last. A record is: lengths of key and value, an expiration
/// that we do not use, a checksum over these, a checksum over key and value; then both.
enum BlobFile {
    static let headerOctets = 30
    static let footerOctets = 32
    static let recordHeaderOctets = 32
    private static let magic: UInt32 = 0x0024_8F37

    struct RecordHead {
        var keyOctets: Int
        var valueOctets: Int
        var checksum: UInt32
        var bodyOctets: Int { keyOctets + valueOctets }

        /// nil: the lengths are not what was written.
        init?(_ octets: UnsafeRawBufferPointer) {
            var reader = OctetReader(octets)
            guard octets.count >= recordHeaderOctets, let key = reader.fixed64(),
                let value = reader.fixed64(), reader.fixed64() != nil, let own = reader.fixed32(),
                let body = reader.fixed32(),
                CRC32C.masked(of: UnsafeRawBufferPointer(rebasing: octets[..<24])) == own,
                // No record of ours comes near it; and the sum of two cannot overflow.
                key < 1 << 32, value < 1 << 40
            else { return nil }
            keyOctets = Int(key)
            valueOctets = Int(value)
            checksum = body
        }

        func fits(_ body: UnsafeRawBufferPointer) -> Bool { CRC32C.masked(of: body) == checksum }
    }

    /// What is wrong with the two ends; nil: nothing.
    static func complaint(
        header: UnsafeRawBufferPointer, footer: UnsafeRawBufferPointer, of file: Manifest.Blob
    ) -> String? {
        var reader = OctetReader(header)
        guard reader.fixed32() == magic, reader.fixed32() == 1, reader.fixed32() == file.family,
            reader.octet() == 0, reader.octet() == 0, header.count == headerOctets,
            // No value of ours expires.
            header.suffix(16).allSatisfy({ $0 == 0 })
        else { return "its header is damaged" }
        reader = OctetReader(footer)
        guard footer.count == footerOctets, reader.fixed32() == magic, let count = reader.fixed64(),
            CRC32C.masked(of: UnsafeRawBufferPointer(rebasing: footer[..<28]))
                == UInt32(littleEndian: footer.loadUnaligned(fromByteOffset: 28, as: UInt32.self))
        else { return "its footer is damaged" }
        guard count == file.count else { return "it counts \(count) records, the manifest \(file.count)" }
        return nil
    }
}
