import Glibc
import MailValues
import QueueEngine
import Testing

@testable import QueueStorage

/// Octets that change while nobody looks.
@Suite(.serialized) struct DamageTests {
    @Test("a flipped octet anywhere in a live log is refused by name, never opened with a hole")
    func refusesFlippedLogs() throws {
        let store = try DamagedStore()
        let log = try store.file(".log")
        let count = try store.size(log)
        try store.damage(log) { _ in }
        #expect(try store.open() == .opened(store.accepted, isLoud: false))
        // All of the first and last records' octets of header, and a net over the rest.
        let offsets =
            Array(0..<12) + Array(stride(from: 12, to: count, by: count / 20))
            + Array((count - 700)..<count).filter { $0 % 71 == 0 }
        for offset in offsets {
            for bits: UInt8 in [0x04, 0xFF] {
                try store.damage(log) { $0[offset] ^= bits }
                #expect(try store.open() == .refused(file: log), "octet \(offset) of \(count) ^ \(bits)")
            }
        }
    }

    @Test("a changed header of a record is refused, wherever the record stands")
    func refusesFlippedHeaders() throws {
        let store = try DamagedStore(count: 60, octets: 300)
        let log = try store.file(".log")
        let octets = try ScratchDirectory.read(store.scratch.store + "/" + log)
        var offsets: [Int] = []
        octets.withUnsafeBytes { all in
            var offset = 0
            while let record = LogInspection.record(all, from: offset), record.fits(all) {
                offsets.append(record.offset)
                offset = record.end
            }
        }
        #expect(offsets.count > 5)
        for offset in offsets.suffix(2) + offsets.prefix(1) {
            for octet in 0..<7 {
                for bits: UInt8 in [0x01, 0x04, 0x80] {
                    try store.damage(log) { $0[offset + octet] ^= bits }
                    #expect(
                        try store.open() == .refused(file: log), "record at \(offset), octet \(octet)")
                }
            }
        }
    }

    @Test(
        "a log that a power failure tore off opens with all that came before, one that lost what was synced does not"
    )
    func opensTornTails() throws {
        let store = try DamagedStore(count: 60, octets: 300)
        let log = try store.file(".log")
        for cut in [1, 5, 100, 299, 320] {
            try store.damage(log) { $0.removeLast(cut) }
            #expect(try store.open() == .refused(file: log))
            // A power failure takes the witness's last notes along.
            try store.damage(log) { $0.removeLast(cut) }
            Witness.remove(from: store.copy.store)
            guard case .opened(let found, isLoud: false) = try store.open() else {
                Issue.record("refused when \(cut) octets were torn off")
                continue
            }
            #expect(found.isSubset(of: store.accepted))
            // Eight committers: the last batch held at most so many.
            #expect(store.accepted.count - found.count <= 8)
        }
    }

    @Test("a log that is gone, or cut at the end of a record, is noticed")
    func noticesMissingLogs() throws {
        let store = try DamagedStore(count: 3000, octets: 1200)
        let log = try store.file(".log")
        try store.damage(log, nil)
        guard case .refused = try store.open() else {
            Issue.record("opened without its log")
            return
        }
        let octets = try ScratchDirectory.read(store.scratch.store + "/" + log)
        let end = octets.withUnsafeBytes { all in
            var offset = 0
            while let record = LogInspection.record(all, from: offset), record.end < octets.count / 2 {
                offset = record.end
            }
            return offset
        }
        try store.damage(log) { $0.removeLast($0.count - end) }
        #expect(try store.open() == .refused(file: log))
        let (left, report) = try store.repair()
        #expect(left.count < store.accepted.count && report.missingLogOctets > 0)
    }

    @Test(
        "a damaged CURRENT or manifest is refused by name, whatever was done to it, and repaired without a loss"
    )
    func refusesFlippedManifest() throws {
        let store = try DamagedStore(count: 1500, octets: 1200)
        let manifest = try store.file("MANIFEST-")
        for (file, count) in [("CURRENT", 16), (manifest, try store.size(manifest))] {
            for offset in stride(from: 0, to: count, by: max(1, count / 16)) {
                try store.damage(file) { $0[offset] ^= 0x10 }
                #expect(try store.open() == .refused(file: file), "octet \(offset)")
            }
            let changes: [((inout [UInt8]) -> Void)?] = [
                nil, { $0.removeAll() }, { $0.removeLast($0.count / 2) }, { $0[$0.count / 2] ^= 0x40 },
            ]
            for (number, change) in changes.enumerated() {
                try store.damage(file, change)
                #expect(try store.open() == .refused(file: file), "change \(number)")
                let (left, report) = try store.repair()
                #expect(left.isSuperset(of: store.accepted), "\(file), change \(number)")
                #expect(report.isComplete && !report.damages.isEmpty)
            }
        }
    }

    @Test("a flush that a kill broke off costs nothing, even where the manifest is lost as well")
    func repairsBrokenFlushes() throws {
        let store = try DamagedStore()
        let flushed = ScratchDirectory()
        try ScratchDirectory.copy(store.scratch.store, to: flushed.store)
        let queue = try RocksQueue.openSample(flushed)
        _ = try queue.database.read { (database) throws(DatabaseError) in try database.flushAll() }
        queue.close()
        try store.damage("CURRENT", nil)
        // The table is whole, its blob file is not, and the log of both is still there.
        for file in flushed.files where file.hasSuffix(".sst") || file.hasSuffix(".blob") {
            var octets = try ScratchDirectory.read(flushed.store + "/" + file)
            if file.hasSuffix(".blob") { octets.removeLast(octets.count / 2) }
            ScratchDirectory.write(octets, to: store.copy.store + "/" + file)
        }
        unlink(store.copy.store + "/" + (try store.file("MANIFEST-")))
        let (left, report) = try store.repair()
        #expect(left == store.accepted && report.gone.isEmpty)
    }

    @Test("a flipped octet in a table is refused by name, or means nothing")
    func noticesFlippedTables() throws {
        let store = try DamagedStore(count: 1500, octets: 1200)
        try store.flush()
        var refused = 0
        for file in store.scratch.files where file.hasSuffix(".sst") {
            let count = try store.size(file)
            for offset in stride(from: 10, to: count, by: max(1, count / 9)) {
                try store.damage(file) { $0[offset] ^= 0x20 }
                switch try store.open() {
                case .refused(let name):
                    #expect(name == file)
                    refused += 1
                case .opened(let found, let isLoud):
                    #expect(found == store.accepted || isLoud, "\(file) \(offset)")
                }
            }
        }
        #expect(refused > 10)
    }

    @Test("a blob file that is gone, cut short, or damaged at its ends is refused by name")
    func refusesBlobEnds() throws {
        let store = try DamagedStore(count: 1500, octets: 1200)
        try store.flush()
        let blob = try store.file(".blob")
        let changes: [((inout [UInt8]) -> Void)?] = [
            nil, { $0.removeAll() }, { $0.removeLast(1) }, { $0.removeLast($0.count / 2) }, { $0[3] ^= 1 },
            { $0[29] ^= 1 }, { $0[$0.count - 1] ^= 1 }, { $0[$0.count - 30] ^= 1 },
        ]
        for (number, change) in changes.enumerated() {
            try store.damage(blob, change)
            #expect(try store.open() == .refused(file: blob), "change \(number)")
            let (left, report) = try store.repair()
            #expect(Set(left.union(report.gone.map { Int($0.id.low) })) == store.accepted, "change \(number)")
        }
    }

    @Test("damaged content is reported as damaged, with its file and message, and only that message is lost")
    func noticesFlippedBlobs() throws {
        let store = try DamagedStore(count: 1500, octets: 1200)
        try store.flush()
        let blob = try store.file(".blob")
        try store.damage(blob) { $0[$0.count / 2] ^= 1 }
        let queue = try RocksQueue.openSample(store.copy)
        let statistics = queue.examine { _ in true }
        #expect(statistics.damageCount == 1)
        #expect(statistics.damages[0].contains(blob) && statistics.damages[0].contains("message "))
        queue.close()
        guard case .opened(let found, isLoud: true) = try store.open() else {
            Issue.record("refused, or silent")
            return
        }
        #expect(found.count == store.accepted.count - 1)
        let (left, report) = try store.repair()
        #expect(left == found)
        #expect(report.gone.map { Int($0.id.low) } == Array(store.accepted.subtracting(found)))
        #expect(report.gone[0].reason.contains(blob))
    }

    @Test("a damaged record of a content that nobody needs any more is no finding")
    func ignoresDeadRecords() throws {
        let scratch = ScratchDirectory()
        var queue = try RocksQueue.openSample(scratch)
        for number in 1...2 { #expect(queue.commitAndWait([.accept(Sample.message(number))]).isSuccess) }
        _ = try queue.database.read { (database) throws(DatabaseError) in try database.flushAll() }
        #expect(queue.commitAndWait([.remove(Sample.id(1), chunkCount: 0, recipientCount: 1)]).isSuccess)
        queue.close()
        let blob = try #require(scratch.files.first { $0.hasSuffix(".blob") })
        var octets = try ScratchDirectory.read(scratch.store + "/" + blob)
        octets[2000] ^= 1
        ScratchDirectory.write(octets, to: scratch.store + "/" + blob)
        queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        #expect(queue.examine { _ in true }.damageCount == 0)
        #expect(try queue.contentPiece(Sample.id(2), number: 0) == Sample.content(2))
    }

    @Test("a file that goes while the store is open is found by an examination")
    func findsMissingFiles() throws {
        let store = try DamagedStore(count: 1500, octets: 1200)
        try store.flush()
        try store.damage("CURRENT") { _ in }
        let queue = try RocksQueue.openSample(store.copy)
        defer { queue.close() }
        #expect(queue.examine { _ in true }.damageCount == 0)
        let blob = try store.file(".blob")
        unlink(store.copy.store + "/" + blob)
        let statistics = queue.examine { _ in true }
        #expect(statistics.damages == ["\(blob): it is missing"])
    }

    @Test("a repair opens what reads, names what is gone, and everything left is held until released")
    func repairs() throws {
        let store = try DamagedStore()
        let log = try store.file(".log")
        try store.damage(log) { $0[$0.count / 2] ^= 1 }
        #expect(try store.open() == .refused(file: log))
        let (left, report) = try store.repair()
        #expect(report.unreadableOctets > 0)
        // A batch of eight committers at most.
        #expect(store.accepted.count - left.count <= 8)
        #expect(!report.gone.isEmpty)
        #expect(report.damagedStore.map { access($0, F_OK) } == 0)
        var queue = try RocksQueue.openSample(store.copy)
        #expect(queue.commitAndWait([.accept(Sample.message(100_000))]).isSuccess)
        #expect(try queue.envelope(Sample.id(100_000))?.hold == nil)
        let envelopes = try queue.all()
        var released = envelopes[0]
        released.hold = nil
        #expect(queue.commitAndWait([.amend(released)]).isSuccess)
        queue.close()
        queue = try RocksQueue.openSample(store.copy)
        #expect(try queue.envelope(released.id)?.hold == nil)
        #expect(try queue.envelope(envelopes[1].id)?.hold?.by == "repair")
        queue.close()
    }

    @Test("a repair into another place leaves the damaged store where it is")
    func repairsElsewhere() throws {
        let store = try DamagedStore()
        try store.damage("CURRENT", nil)
        let other = store.copy.path + "/other"
        let report = try RocksQueue.repair(directory: store.copy.store, into: other, now: Sample.start)
        #expect(report.messages == store.accepted.count && report.damagedStore == nil)
        #expect(throws: StoreOpenError.self) { try RocksQueue.openSample(store.copy) }
        let queue = try RocksQueue.open(directory: other, now: Sample.start)
        #expect(try queue.all().count == store.accepted.count)
        queue.close()
    }

    @Test("chunks, progress, amendments and history survive a repair")
    func repairsEverything() throws {
        let scratch = ScratchDirectory()
        var queue = try RocksQueue.openSample(scratch)
        var chunked = Sample.envelope(1, recipients: 2, size: 3000)
        chunked.chunkCount = 3
        for number in 0..<UInt32(3) {
            let octets = Sample.content(Int(number), octets: 1000)
            #expect(queue.writeChunkAndWait(chunked.id, number, octets).isSuccess)
            #expect(queue.writeChunkAndWait(Sample.id(9), number, octets).isSuccess)
        }
        #expect(queue.commitAndWait([.accept(NewMessage(envelope: chunked, content: []))]).isSuccess)
        #expect(queue.commitAndWait([.accept(Sample.message(2))]).isSuccess)
        _ = try queue.database.read { (database) throws(DatabaseError) in try database.flushAll() }
        #expect(queue.commitAndWait([.progress(chunked.id, [(1, Sample.progress(2))])]).isSuccess)
        var amended = Sample.envelope(2)
        amended.priority = 3
        #expect(queue.commitAndWait([.amend(amended)]).isSuccess)
        let line = LedgerLine(id: chunked.id, at: Sample.start, line: Array("tried".utf8))
        #expect(queue.commitAndWait([.ledger(line)]).isSuccess)
        _ = try queue.database.read { (database) throws(DatabaseError) in try database.flush(.ledger) }
        queue.close()
        ScratchDirectory.write([], to: scratch.store + "/CURRENT")
        let report = try RocksQueue.repair(directory: scratch.store, now: Sample.start)
        #expect(report.messages == 2 && report.isComplete)
        queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        chunked.recipients[1].progress = Sample.progress(2)
        #expect(try queue.all().map(\.recipients) == [chunked.recipients, amended.recipients])
        #expect(try queue.envelope(Sample.id(2))?.priority == 3)
        for number in 0..<UInt32(3) {
            #expect(
                try queue.contentPiece(chunked.id, number: number)
                    == Sample.content(Int(number), octets: 1000))
        }
        #expect(try queue.ledger(chunked.id) == [line])
        // What was never promised is not carried over.
        #expect(queue.countKeys(.content) == 4)
    }
}
