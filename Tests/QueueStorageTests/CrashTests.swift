import MailValues
import QueueEngine
import Testing

@testable import QueueStorage

@Suite(.serialized) struct CrashTests {
    @Test(
        "what was answered before a kill is there afterwards, and what was removed is not",
        arguments: [1, 40, 333, 1500, 4000])
    func survivesKills(_ lines: Int) throws {
        let scratch = ScratchDirectory()
        let (accepted, removed) = try Crasher(scratch.store, count: 100_000, removeEvery: 3).run(
            killAfter: lines + 1)
        #expect(accepted.count + removed.count >= lines)
        let queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        let present = Set(try queue.all().map { Int($0.id.low) })
        #expect(accepted.subtracting(present).allSatisfy { $0 % 3 == 0 })
        #expect(accepted.filter { $0 % 3 != 0 }.subtracting(present).isEmpty)
        #expect(present.isDisjoint(with: removed))
        // At most what eight committers had under way is there without an answer.
        #expect(present.subtracting(accepted).count <= 8)
        for number in present {
            #expect(
                try queue.contentPiece(Sample.id(number), number: 0)
                    == Array(repeating: UInt8(truncatingIfNeeded: number), count: 600))
        }
    }

    @Test("a store in use is locked, and says so")
    func locks() throws {
        let scratch = ScratchDirectory()
        let queue = try RocksQueue.openSample(scratch)
        #expect(throws: StoreOpenError.locked(directory: scratch.store)) {
            try RocksQueue.openSample(scratch)
        }
        queue.close()
        try RocksQueue.openSample(scratch).close()
    }
}

/// Octets that change while nobody looks.
@Suite(.serialized) struct DamageTests {
    /// A store whose last batches are in the log only, as a kill leaves it.
    private func killed(count: Int = 400, octets: Int = 600) throws -> (ScratchDirectory, Set<Int>) {
        let scratch = ScratchDirectory()
        let (accepted, removed) = try Crasher(scratch.store, count: count, octets: octets, end: "die").run()
        #expect(accepted.count == count)
        return (scratch, accepted.subtracting(removed))
    }

    /// Opens a copy in which `change` was done to `file`; nil: refused as damaged.
    private func open(
        _ scratch: ScratchDirectory, _ file: String, _ change: (inout [UInt8]) -> Void
    ) throws -> Set<Int>? {
        let copy = ScratchDirectory()
        try ScratchDirectory.copy(scratch.store, to: copy.store)
        var octets = try ScratchDirectory.read(copy.store + "/" + file)
        change(&octets)
        ScratchDirectory.write(octets, to: copy.store + "/" + file)
        do {
            let queue = try RocksQueue.openSample(copy)
            defer { queue.close() }
            return Set(try queue.all().map { Int($0.id.low) })
        } catch StoreOpenError.damaged(let name, let detail) {
            #expect(name == file || (file == "CURRENT" && name.hasPrefix("MANIFEST-")), "\(file): \(detail)")
            return nil
        } catch StoreError.damaged {
            return nil
        }
    }

    @Test("a flipped octet anywhere in a live log is refused by name, never opened with a hole")
    func refusesFlippedLogs() throws {
        let (scratch, accepted) = try killed()
        let log = try #require(scratch.files.last { $0.hasSuffix(".log") })
        let count = try ScratchDirectory.read(scratch.store + "/" + log).count
        #expect(try open(scratch, log) { _ in } == accepted)
        // All of the first and last records' octets of header, and a net over the rest.
        let offsets =
            Array(0..<12) + Array(stride(from: 12, to: count, by: count / 20))
            + Array((count - 700)..<count).filter { $0 % 71 == 0 }
        for offset in offsets {
            for bits: UInt8 in [0x04, 0xFF] {
                let found = try open(scratch, log) { $0[offset] ^= bits }
                #expect(
                    found == nil,
                    "octet \(offset) of \(count) ^ \(bits): opened with \(found?.count ?? 0)"
                )
            }
        }
    }

    @Test("a changed header of a record is refused, wherever the record stands")
    func refusesFlippedHeaders() throws {
        let (scratch, _) = try killed(count: 60, octets: 300)
        let log = try #require(scratch.files.last { $0.hasSuffix(".log") })
        let octets = try ScratchDirectory.read(scratch.store + "/" + log)
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
                    let found = try open(scratch, log) { $0[offset + octet] ^= bits }
                    #expect(
                        found == nil,
                        "record at \(offset), octet \(octet): opened with \(found?.count ?? 0)"
                    )
                }
            }
        }
    }

    @Test("a log that a power failure tore off opens with all that came before")
    func opensTornTails() throws {
        let (scratch, accepted) = try killed(count: 60, octets: 300)
        let log = try #require(scratch.files.last { $0.hasSuffix(".log") })
        for cut in [1, 5, 100, 299, 320] {
            let found = try #require(try open(scratch, log) { $0.removeLast(cut) })
            #expect(found.isSubset(of: accepted))
            // Eight committers: the last batch held at most so many.
            #expect(accepted.count - found.count <= 8)
        }
    }

    @Test("a damaged CURRENT or manifest is refused by name")
    func refusesFlippedManifest() throws {
        let (scratch, _) = try killed()
        let manifest = try #require(scratch.files.last { $0.hasPrefix("MANIFEST-") })
        for (file, count) in [
            ("CURRENT", 16), (manifest, try ScratchDirectory.read(scratch.store + "/" + manifest).count),
        ] {
            for offset in stride(from: 0, to: count, by: max(1, count / 16)) {
                #expect(try open(scratch, file) { $0[offset] ^= 0x10 } == nil, "\(file) \(offset)")
            }
            #expect(try open(scratch, file) { $0.removeAll() } == nil)
        }
    }

    @Test("a damaged table of envelopes is reported as damaged, not as fewer messages")
    func noticesFlippedTables() throws {
        let (scratch, accepted) = try killed(count: 1500, octets: 1200)
        let queue = try RocksQueue.openSample(scratch)
        for family in Family.allCases {
            _ = try queue.database.read { (database) throws(DatabaseError) in try database.flush(family) }
        }
        queue.close()
        var damaged = 0
        for file in scratch.files where file.hasSuffix(".sst") {
            let count = try ScratchDirectory.read(scratch.store + "/" + file).count
            for offset in stride(from: 10, to: count, by: max(1, count / 4)) {
                // Where the octet means nothing to the envelopes, all of them are there.
                let found = try open(scratch, file) { $0[offset] ^= 0x20 }
                #expect(found == nil || found == accepted, "\(file) \(offset)")
                if found == nil { damaged += 1 }
            }
        }
        #expect(damaged > 0)
    }

    @Test("damaged content is reported as damaged")
    func noticesFlippedBlobs() throws {
        let scratch = ScratchDirectory()
        var queue = try RocksQueue.openSample(scratch)
        #expect(queue.commitAndWait([.accept(Sample.message(1))]).isSuccess)
        _ = try queue.database.read { (database) throws(DatabaseError) in try database.flush(.content) }
        queue.close()
        let blob = try #require(scratch.files.first { $0.hasSuffix(".blob") })
        var octets = try ScratchDirectory.read(scratch.store + "/" + blob)
        octets[2000] ^= 1
        ScratchDirectory.write(octets, to: scratch.store + "/" + blob)
        queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        #expect(throws: StoreError.self) { try queue.contentPiece(Sample.id(1), number: 0) }
    }

    @Test("a repair opens what reads, names what is gone, and everything left is held until released")
    func repairs() throws {
        let (scratch, accepted) = try killed()
        let log = try #require(scratch.files.last { $0.hasSuffix(".log") })
        var octets = try ScratchDirectory.read(scratch.store + "/" + log)
        octets[octets.count / 2] ^= 1
        ScratchDirectory.write(octets, to: scratch.store + "/" + log)
        #expect(throws: StoreOpenError.self) { try RocksQueue.openSample(scratch) }
        let report = try RocksQueue.repair(directory: scratch.store)
        #expect(report.messages > 0)
        #expect(!report.gone.isEmpty)
        #expect(report.unreadableOctets > 0)
        var queue = try RocksQueue.openSample(scratch)
        let left = try queue.all()
        #expect(left.count == report.messages)
        // Only what stood in the damaged block itself has no name any more.
        #expect(accepted.count - left.count - report.gone.count <= report.unreadableOctets / 300)
        #expect(Set(report.gone).isDisjoint(with: left.map(\.id)))
        #expect(left.allSatisfy { $0.hold?.by == "repair" })
        #expect(queue.commitAndWait([.accept(Sample.message(100_000))]).isSuccess)
        #expect(try queue.envelope(Sample.id(100_000))?.hold == nil)
        var released = left[0]
        released.hold = nil
        #expect(queue.commitAndWait([.amend(released)]).isSuccess)
        queue.close()
        queue = try RocksQueue.openSample(scratch)
        #expect(try queue.envelope(released.id)?.hold == nil)
        #expect(try queue.envelope(left[1].id)?.hold?.by == "repair")
        queue.close()
    }

    @Test("a damaged CURRENT is mended by a repair, and nothing is gone")
    func repairsCurrent() throws {
        let (scratch, accepted) = try killed()
        ScratchDirectory.write(Array("MANIFEST-9".utf8), to: scratch.store + "/CURRENT")
        let report = try RocksQueue.repair(directory: scratch.store)
        #expect(report.mendedCurrent)
        #expect(report.messages == accepted.count)
        #expect(report.gone == [])
    }
}

@Suite struct BackupTests {
    @Test("a restored backup has everything, held; the store it came from goes on unheld")
    func restoresHeld() throws {
        let scratch = ScratchDirectory()
        let queue = try RocksQueue.openSample(scratch)
        for number in 0..<10 { #expect(queue.commitAndWait([.accept(Sample.message(number))]).isSuccess) }
        try queue.backup(to: scratch.path + "/copy")
        #expect(throws: StoreError.self) { try queue.backup(to: scratch.path + "/copy") }
        #expect(queue.commitAndWait([.accept(Sample.message(10))]).isSuccess)
        #expect(try queue.all().allSatisfy { $0.hold == nil })
        queue.close()
        for _ in 0..<2 {
            let copy = try RocksQueue.open(directory: scratch.path + "/copy", now: Sample.start + .seconds(9))
            #expect(copy.heldSince?.since == Sample.start + .seconds(9) || copy.heldSince != nil)
            #expect(try copy.all().map(\.id) == (0..<10).map(Sample.id))
            #expect(try copy.all().allSatisfy { $0.hold?.by == "restore" })
            #expect(try copy.contentPiece(Sample.id(3), number: 0) == Sample.content(3))
            copy.close()
        }
    }

    @Test("a store of a newer format is refused by name, and so is a value of a newer version")
    func refusesNewer() throws {
        let scratch = ScratchDirectory()
        var queue = try RocksQueue.openSample(scratch)
        #expect(queue.commitAndWait([.accept(Sample.message(1))]).isSuccess)
        func put(_ family: Family, _ key: [UInt8], _ value: [UInt8]) throws {
            _ = try queue.database.read { (database) throws(DatabaseError) in
                let batch = Batch()
                batch.put(database[family], key: key, value: value)
                try batch.write(to: database, synced: true)
            }
        }
        try put(.envelope, Sample.id(1).octets, [9, 1, 2])
        #expect(throws: StoreError.self) { try queue.envelope(Sample.id(1)) }
        #expect(throws: StoreError.self) { try queue.all() }
        try put(.state, Key.format, Array("2".utf8))
        queue.close()
        #expect(throws: StoreOpenError.formatTooNew(found: 2, known: 1)) {
            queue = try RocksQueue.openSample(scratch)
        }
    }

    @Test("a folder without a store is not one, where none may be made")
    func refusesMissing() {
        let scratch = ScratchDirectory()
        #expect(throws: StoreOpenError.missing(directory: scratch.store)) {
            try RocksQueue.openSample(scratch) { $0.createIfMissing = false }
        }
    }
}
