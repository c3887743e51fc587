import MailValues
import Testing

@testable import QueueStorage

/// The forms of file that we read without the library.
@Suite struct FileFormTests {
    @Test("CRC32C is that of iSCSI, however the octets are cut")
    func checksums() {
        func crc(_ octets: [UInt8], cutAt cut: Int) -> UInt32 {
            var crc = CRC32C()
            octets[..<cut].withUnsafeBytes { crc.update($0) }
            octets[cut...].withUnsafeBytes { crc.update($0) }
            return crc.value
        }
        let samples: [([UInt8], UInt32)] = [
            (Array("123456789".utf8), 0xE306_9283), (Array(repeating: 0, count: 32), 0x8A91_36AA),
            (Array(repeating: 0xFF, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E),
        ]
        for (octets, sum) in samples {
            for cut in 0...octets.count { #expect(crc(octets, cutAt: cut) == sum) }
        }
    }

    @Test("LZ4 is undone, and nothing is believed that cannot be")
    func lz4() {
        func decoded(_ octets: [UInt8]) -> [UInt8]? { octets.withUnsafeBytes { LZ4Block.decoded($0) } }
        // Four literals; "abcd" twice more by a match that overlaps its own result; five literals at the end.
        let block: [UInt8] = [17, 0x44] + Array("abcd".utf8) + [4, 0, 0x50] + Array("vwxyz".utf8)
        #expect(decoded(block) == Array("abcdabcdabcdvwxyz".utf8))
        #expect(decoded([0, 0]) == [])
        for end in 0..<block.count { #expect(decoded(Array(block[..<end])) == nil) }
        // A match before the beginning, one without distance, a size that is not reached.
        #expect(decoded([17, 0x44] + Array("abcd".utf8) + [5, 0, 0x50] + Array("vwxyz".utf8)) == nil)
        #expect(decoded([17, 0x44] + Array("abcd".utf8) + [0, 0, 0x50] + Array("vwxyz".utf8)) == nil)
        #expect(decoded([18] + block.dropFirst()) == nil)
        #expect(decoded([0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x10, 1]) == nil)
    }

    @Test("numbers end with their octets, and lengths that reach further are no lengths")
    func readsOctets() {
        func read<R>(_ octets: [UInt8], _ body: (inout OctetReader) -> R) -> R {
            octets.withUnsafeBytes {
                var reader = OctetReader($0)
                return body(&reader)
            }
        }
        #expect(read([0x80, 0x01]) { $0.varint() } == 128)
        #expect(read([0x80]) { $0.varint() } == nil)
        #expect(read(Array(repeating: 0xFF, count: 11)) { $0.varint() } == nil)
        #expect(read([1, 2, 3]) { $0.fixed32() } == nil)
        #expect(read([3, 1, 2]) { $0.text()?.count } == nil)
        #expect(read([2, 1, 2]) { $0.text()?.count } == 2)
        #expect(read([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]) { $0.text()?.count } == nil)
    }

    @Test("every value of every table is read as the library reads it")
    func readsTables() throws {
        let store = try DamagedStore(count: 1500, octets: 300, removeEvery: 7)
        try store.flush()
        let directory = try StoreDirectory(store.scratch.store, create: false)
        let sources = try SalvageSources(directory)
        #expect(sources.damages == [])
        let queue = try RocksQueue.openSample(store.scratch)
        defer { queue.close() }
        for family in [Family.envelope, .content, .state] {
            var ours = NewestEntries(sources.cursors(of: family) { Issue.record("\($0)") })
            var own: [[UInt8]] = []
            let blobs = BlobValues(directory: directory.path)
            while let entry = ours.next() {
                guard entry.kind != .removed else { continue }
                own.append(entry.key + (entry.kind == .blob ? try blobs.value(of: entry) : entry.value))
            }
            var theirs: [[UInt8]] = []
            _ = try queue.database.read { (database) throws(DatabaseError) in
                try database.walk(family) { key, value in
                    theirs.append([UInt8](key) + [UInt8](value))
                    return true
                }
            }
            #expect(own == theirs && !own.isEmpty, "\(family)")
        }
    }

    @Test("a witness that does not read says nothing")
    func witness() throws {
        let scratch = ScratchDirectory()
        let witness = Witness(scratch.path)
        witness.log(Witness.Note(number: 7, octets: 123))
        witness.manifest(Witness.Note(number: 5, octets: 9))
        #expect(Witness.notes(in: scratch.path).log == Witness.Note(number: 7, octets: 123))
        #expect(Witness.notes(in: scratch.path).manifest == Witness.Note(number: 5, octets: 9))
        var octets = try ScratchDirectory.read(scratch.path + "/witness")
        octets[8] ^= 1
        ScratchDirectory.write(octets, to: scratch.path + "/witness")
        #expect(Witness.notes(in: scratch.path).log == nil)
        #expect(Witness.notes(in: scratch.path).manifest == Witness.Note(number: 5, octets: 9))
        witness.forgetLog()
        #expect(Witness.notes(in: scratch.path).log == nil)
    }
}
