import Glibc
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

    @Test(
        "a directory is free as soon as its lock goes, though a child that is being started still has its file"
    )
    func freesDirectory() throws {
        let scratch = ScratchDirectory()
        try RocksQueue.openSample(scratch).close()
        var lock: DirectoryLock? = try DirectoryLock(scratch.store)
        // Between fork and exec a child holds all that we hold.
        let ofChild = try #require(duplicate(of: scratch.store + "/chappe.lock"))
        defer { close(ofChild) }
        #expect(throws: StoreOpenError.locked(directory: scratch.store)) { try DirectoryLock(scratch.store) }
        #expect(lock != nil)
        lock = nil
        #expect(throws: Never.self) { try DirectoryLock(scratch.store) }
    }

    /// A second descriptor of what we have open under `path`.
    private func duplicate(of path: String) -> Int32? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let octets = Array(path.utf8CString.dropLast())
        for descriptor in Int32(0)..<1_024 {
            let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count)
            if count > 0, Array(target[..<count]) == octets { return dup(descriptor) }
        }
        return nil
    }
}

@Suite struct BackupTests {
    @Test("what is to be held at the next opening is held then, what comes later is not, and only once")
    func holdsAtNextOpening() throws {
        let folder = ScratchDirectory()
        var store = try RocksQueue.open(directory: folder.store, now: Sample.start)
        try store.commitAndWait([.accept(Sample.message(1))]).get()
        #expect(store.holdAtNextOpening(by: "identity", reason: "another node's"))
        #expect(try store.all().allSatisfy { $0.hold == nil })
        store.close()
        for opening in 1...2 {
            store = try RocksQueue.open(directory: folder.store, now: Sample.start)
            let holds = try store.all().map(\.hold)
            #expect(holds.first??.by == "identity" && holds.first??.reason == "another node's")
            if opening == 1 { try store.commitAndWait([.accept(Sample.message(2))]).get() }
            #expect(try store.all().last?.hold == nil)
            store.close()
        }
    }

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
