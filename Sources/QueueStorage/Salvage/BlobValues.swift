import Glibc

/// Reads values out of blob files, each with its checksum.
final class BlobValues {
    private let directory: String
    private var windows: [UInt64: FileWindow] = [:]
    /// Files that could not be opened, so that each is complained of once.
    private(set) var missing: [UInt64: String] = [:]

    init(directory: String) { self.directory = directory }

    struct Damage: Error, CustomStringConvertible {
        let description: String
    }

    /// The octets that `entry` points to.
    func value(of entry: StoredEntry) throws(Damage) -> [UInt8] {
        guard let place = entry.value.withUnsafeBytes(Place.init) else {
            throw Damage(description: "it points nowhere")
        }
        let name = Examination.name(ofBlob: place.file)
        let start = place.offset - entry.key.count - BlobFile.recordHeaderOctets
        let count = BlobFile.recordHeaderOctets + entry.key.count + place.octets
        do throws(FileContent.Failure) {
            guard let record = try window(place.file, name).octets(at: start, count: count) else {
                throw FileContent.Failure(
                    description: "it ends before octet \(start + count)", isMissing: false)
            }
            let body = UnsafeRawBufferPointer(rebasing: record[BlobFile.recordHeaderOctets...])
            guard let head = BlobFile.RecordHead(record), head.keyOctets == entry.key.count,
                head.valueOctets == place.octets, head.fits(body),
                body.prefix(head.keyOctets).elementsEqual(entry.key)
            else {
                throw FileContent.Failure(
                    description: "the record at octet \(start) is damaged", isMissing: false)
            }
            return [UInt8](body.dropFirst(head.keyOctets))
        } catch {
            throw Damage(description: "\(name): \(error.description)")
        }
    }

    private func window(_ number: UInt64, _ name: String) throws(FileContent.Failure) -> FileWindow {
        if let window = windows[number] { return window }
        if let why = missing[number] { throw FileContent.Failure(description: why, isMissing: true) }
        do throws(FileContent.Failure) {
            let window = try FileWindow("\(directory)/\(name)")
            windows[number] = window
            return window
        } catch {
            missing[number] = error.description
            throw error
        }
    }

    /// Where a value is (RocksDB's `BlobIndex`): kind, file, offset of the value itself, length, compression.
    private struct Place {
        var file: UInt64
        var offset: Int
        var octets: Int

        init?(_ octets: UnsafeRawBufferPointer) {
            var reader = OctetReader(octets)
            guard reader.octet() == 1, let file = reader.varint(), let offset = reader.size(),
                let size = reader.size(), reader.octet() == 0, offset < 1 << 48, size < 1 << 40
            else { return nil }
            self.file = file
            self.offset = offset
            self.octets = size
        }
    }
}
