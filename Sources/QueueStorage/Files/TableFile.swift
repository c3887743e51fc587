/// A table file of RocksDB's, read without the library: block by block, so that one bad block hides no other.
///
/// Blocks of entries from the start on; then an index of them, properties, an index of these, and a footer.
final class TableFile {
    struct Damage: Error, Equatable, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    static let footerOctets = 53
    private static let magic: UInt64 = 0x88E2_41B7_85F4_CFF7
    /// A block without a known end is not looked for beyond this.
    private static let blockOctetsLargest = 4 << 20

    private let window: FileWindow
    private let index: TableBlock.Handle
    private let metaIndex: TableBlock.Handle
    /// False: written with checksums that we do not know; then nothing is found wrong with its blocks.
    let hasKnownChecksums: Bool

    init(_ window: FileWindow) throws(Damage) {
        self.window = window
        guard let footer = try? window.octets(at: window.count - Self.footerOctets, count: Self.footerOctets)
        else { throw Damage("it is shorter than its footer") }
        var reader = OctetReader(footer)
        guard let checksum = reader.octet(), let metaIndex = TableBlock.Handle(&reader),
            let index = TableBlock.Handle(&reader)
        else { throw Damage("its footer is damaged") }
        reader = OctetReader(footer, at: Self.footerOctets - 12)
        guard reader.fixed32() == 5, reader.fixed64() == Self.magic, checksum <= 4 else {
            throw Damage("its footer is damaged")
        }
        hasKnownChecksums = checksum == 1
        self.index = index
        self.metaIndex = metaIndex
    }

    // MARK: What it says of itself

    /// Numbers and names, by name.
    func properties() throws(Damage) -> [String: [UInt8]] {
        let block = try block(metaIndex, "its list of properties")
        var handle: TableBlock.Handle?
        let isWhole = block.forEach { key, value in
            guard String(decoding: key, as: UTF8.self) == "rocksdb.properties" else { return }
            var reader = OctetReader(value)
            handle = TableBlock.Handle(&reader)
        }
        guard isWhole, let handle else { throw Damage("its list of properties is damaged") }
        var properties: [String: [UInt8]] = [:]
        let parsed = try self.block(handle, "its properties").forEach { key, value in
            properties[String(decoding: key, as: UTF8.self)] = [UInt8](value)
        }
        guard parsed else { throw Damage("its properties are damaged") }
        return properties
    }

    /// The blocks of entries, in order.
    func dataBlocks() throws(Damage) -> [TableBlock.Handle] {
        guard let handles = try block(index, "its index").handles else {
            throw Damage("its index is damaged")
        }
        return handles
    }

    // MARK: Blocks

    func block(_ handle: TableBlock.Handle, _ what: String) throws(Damage) -> TableBlock {
        let stored = try stored(handle, what)
        guard let block = TableBlock(stored: stored) else { throw Damage("\(what) does not parse") }
        return block
    }

    /// Reads a block and compares its checksum.
    func check(_ handle: TableBlock.Handle) throws(Damage) { _ = try stored(handle, "the block") }

    private func stored(
        _ handle: TableBlock.Handle, _ what: String
    ) throws(Damage) -> UnsafeRawBufferPointer {
        let octets: UnsafeRawBufferPointer?
        do throws(FileContent.Failure) {
            octets = try window.octets(at: handle.offset, count: handle.octets + TableBlock.trailerOctets)
        } catch {
            throw Damage("\(what) at octet \(handle.offset) cannot be read: \(error)")
        }
        guard let octets else { throw Damage("it ends before \(what) at octet \(handle.offset)") }
        guard !hasKnownChecksums || TableBlock.isIntact(octets) else {
            throw Damage("\(what) at octet \(handle.offset) is damaged")
        }
        return octets
    }

    /// The block that begins at `offset` and whose end nobody knows: it is where the checksum comes out
    /// right.
    static func blockFound(at offset: Int, in window: FileWindow) -> TableBlock.Handle? {
        let limit = min(blockOctetsLargest, window.count - offset)
        guard limit > TableBlock.trailerOctets,
            let octets = try? window.octets(at: offset, count: limit)
        else { return nil }
        var crc = CRC32C()
        for length in 0..<(limit - TableBlock.trailerOctets + 1) {
            crc.update(octets[length])
            let stored = octets.loadUnaligned(fromByteOffset: length + 1, as: UInt32.self)
            if crc.masked == UInt32(littleEndian: stored) {
                return TableBlock.Handle(offset: offset, octets: length)
            }
        }
        return nil
    }
}
