import MailValues
import QueueEngine
import SMTPProtocol
import Testing

@testable import QueueStorage

/// What goes in comes out, before and after the store was closed.
@Suite struct KeepingTests {
    let scratch = ScratchDirectory()

    @Test("an accepted message is there with its octets, and after the store was opened again")
    func keepsMessages() throws {
        var queue = try RocksQueue.openSample(scratch)
        for number in 0..<20 {
            #expect(
                queue.commitAndWait([.accept(Sample.message(number, recipients: number % 3 + 1))]).isSuccess)
        }
        for _ in 0..<2 {
            #expect(try queue.all() == (0..<20).map { Sample.envelope($0, recipients: $0 % 3 + 1) })
            for number in 0..<20 {
                #expect(
                    try queue.envelope(Sample.id(number))
                        == Sample.envelope(number, recipients: number % 3 + 1))
                #expect(try queue.contentPiece(Sample.id(number), number: 0) == Sample.content(number))
            }
            #expect(try queue.envelope(Sample.id(99)) == nil)
            #expect(try queue.contentPiece(Sample.id(99), number: 0) == nil)
            #expect(queue.statistics.waitingMessages == 20)
            queue.close()
            queue = try RocksQueue.openSample(scratch)
        }
        queue.close()
    }

    @Test("content in many pieces is one value", arguments: [0, 1, 2, 7, 128, 129, 500])
    func joinsPieces(_ count: Int) throws {
        let queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        var message = Sample.message(0)
        message.content = (0..<count).map { Sample.content($0, octets: $0 * 3 % 50) }
        #expect(queue.commitAndWait([.accept(message)]).isSuccess)
        #expect(try queue.contentPiece(Sample.id(0), number: 0) == Array(message.content.joined()))
    }

    @Test("progress replaces that of its recipient alone, an amendment all but recipients")
    func mergesChanges() throws {
        var queue = try RocksQueue.openSample(scratch)
        #expect(
            queue.commitAndWait([.accept(Sample.message(1, recipients: 3)), .accept(Sample.message(2))])
                .isSuccess)
        #expect(
            queue.commitAndWait([.progress(Sample.id(1), [(1, Sample.progress(1)), (2, Sample.progress(2))])])
                .isSuccess)
        #expect(
            queue.commitAndWait([.progress(Sample.id(1), [(1, Sample.progress(3, "later still"))])]).isSuccess
        )
        var expected = Sample.envelope(1, recipients: 3)
        expected.hold = Envelope.Hold(by: "operator:0", reason: "look at it", since: Sample.start)
        expected.priority = -4
        #expect(queue.commitAndWait([.amend(expected)]).isSuccess)
        expected.recipients[1].progress = Sample.progress(3, "later still")
        expected.recipients[2].progress = Sample.progress(2)
        for _ in 0..<2 {
            #expect(try queue.envelope(Sample.id(1)) == expected)
            #expect(try queue.all() == [expected, Sample.envelope(2)])
            queue.close()
            queue = try RocksQueue.openSample(scratch)
        }
        queue.close()
    }

    @Test("a removed message leaves nothing behind", arguments: [false, true], [false, true])
    func removes(_ reopened: Bool, _ progressed: Bool) throws {
        var queue = try RocksQueue.openSample(scratch)
        #expect(
            queue.commitAndWait([.accept(Sample.message(1, recipients: 2)), .accept(Sample.message(2))])
                .isSuccess)
        if progressed {
            #expect(queue.commitAndWait([.progress(Sample.id(1), [(0, Sample.progress(1))])]).isSuccess)
            #expect(queue.commitAndWait([.amend(Sample.envelope(1, recipients: 2))]).isSuccess)
        }
        if reopened {
            queue.close()
            queue = try RocksQueue.open(directory: scratch.store, now: Sample.start + .seconds(60))
        }
        #expect(queue.commitAndWait([.remove(Sample.id(1), chunkCount: 0, recipientCount: 2)]).isSuccess)
        #expect(try queue.all() == [Sample.envelope(2)])
        #expect(try queue.envelope(Sample.id(1)) == nil)
        #expect(try queue.contentPiece(Sample.id(1), number: 0) == nil)
        #expect(queue.countKeys(.envelope) == 1)
        #expect(queue.countKeys(.content) == 1)
        queue.close()
    }

    @Test("the ledger of a message is its own lines in order of time")
    func keepsLedger() throws {
        let queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        func line(_ number: Int, _ second: Int64, _ text: String) -> LedgerLine {
            LedgerLine(id: Sample.id(number), at: Sample.start + .seconds(second), line: Array(text.utf8))
        }
        let lines = [
            line(1, 0, "in"), line(2, 0, "other"), line(1, 5, "tried"), line(1, 5, "tried twice"),
            line(1, 9, ""),
        ]
        for line in lines { #expect(queue.commitAndWait([.ledger(line)]).isSuccess) }
        #expect(try queue.ledger(Sample.id(1)) == [lines[0], lines[2], lines[3], lines[4]])
        #expect(try queue.ledger(Sample.id(3)) == [])
    }

    @Test("a commit after the store was closed is refused")
    func refusesWhenClosed() throws {
        let queue = try RocksQueue.openSample(scratch)
        queue.close()
        #expect(!queue.commitAndWait([.accept(Sample.message(1))]).isSuccess)
        #expect(throws: StoreError.self) { try queue.envelope(Sample.id(1)) }
    }

    @Test("many committers at once are all answered, and their messages kept")
    func groupsCommits() throws {
        let queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        let done = Semaphore()
        for number in 0..<500 {
            queue.commit([.accept(Sample.message(number, octets: 600))], lane: InlineLane()) { result in
                if result.isSuccess { done.signal() }
            }
        }
        for _ in 0..<500 { done.wait() }
        #expect(try queue.all().count == 500)
        #expect(queue.statistics.batches < 500)
    }
}

/// Large messages, written ahead in chunks.
@Suite struct ChunkTests {
    let scratch = ScratchDirectory()

    private func chunked(_ number: Int, chunks: Int) -> NewMessage {
        var envelope = Sample.envelope(number, size: chunks * 1000)
        envelope.chunkCount = UInt32(chunks)
        envelope.digest = Sample.content(number, octets: 32)
        return NewMessage(envelope: envelope, content: [])
    }

    @Test("chunks are there with their envelope, and go with it")
    func keepsChunks() throws {
        var queue = try RocksQueue.openSample(scratch)
        let message = chunked(1, chunks: 5)
        for number in 0..<UInt32(5) {
            #expect(
                queue.writeChunkAndWait(Sample.id(1), number, Sample.content(Int(number), octets: 1000))
                    .isSuccess)
        }
        #expect(queue.commitAndWait([.accept(message)]).isSuccess)
        for _ in 0..<2 {
            queue.close()
            queue = try RocksQueue.openSample(scratch)
            #expect(try queue.all() == [message.envelope])
            for number in 0..<5 {
                #expect(
                    try queue.contentPiece(Sample.id(1), number: UInt32(number))
                        == Sample.content(number, octets: 1000))
            }
        }
        #expect(queue.commitAndWait([.remove(Sample.id(1), chunkCount: 5, recipientCount: 1)]).isSuccess)
        #expect(queue.countKeys(.content) == 0)
        #expect(queue.countKeys(.envelope) == 0)
        queue.close()
    }

    @Test("chunks without an envelope are swept at start, and others are not")
    func sweeps() throws {
        var queue = try RocksQueue.openSample(scratch)
        for id in 1...3 {
            for number in 0..<UInt32(3) {
                #expect(queue.writeChunkAndWait(Sample.id(id), number, [1, 2, 3]).isSuccess)
            }
        }
        #expect(queue.commitAndWait([.accept(chunked(2, chunks: 3))]).isSuccess)
        queue.close()
        queue = try RocksQueue.openSample(scratch)
        #expect(try queue.contentPiece(Sample.id(1), number: 0) == nil)
        #expect(try queue.contentPiece(Sample.id(2), number: 2) == [1, 2, 3])
        #expect(queue.countKeys(.content) == 3)
        queue.close()
    }

    @Test("chunks that were swept and come again stay, however often the store is opened")
    func keepsWhatComesAgain() throws {
        // An heir that fetches a large message, ends, and fetches it in its next life.
        for sweeps in 1...3 {
            let scratch = ScratchDirectory()
            for _ in 0..<sweeps {
                let queue = try RocksQueue.openSample(scratch)
                #expect(try queue.contentPiece(Sample.id(1), number: 0) == nil)
                #expect(queue.writeChunkAndWait(Sample.id(1), 0, [1, 2, 3]).isSuccess)
                queue.close()
            }
            var queue = try RocksQueue.openSample(scratch)
            for number in 0..<UInt32(2) {
                #expect(queue.writeChunkAndWait(Sample.id(1), number, [4, 5, 6]).isSuccess)
            }
            #expect(queue.commitAndWait([.accept(chunked(1, chunks: 2))]).isSuccess)
            for life in 1...3 {
                queue.close()
                queue = try RocksQueue.openSample(scratch)
                for number in 0..<UInt32(2) {
                    #expect(
                        try queue.contentPiece(Sample.id(1), number: number) == [4, 5, 6],
                        "swept \(sweeps) times, opened \(life) times")
                }
            }
            #expect(
                queue.commitAndWait([.remove(Sample.id(1), chunkCount: 2, recipientCount: 1)]).isSuccess)
            queue.close()
            queue = try RocksQueue.openSample(scratch)
            #expect(queue.countKeys(.content) == 0)
            queue.close()
        }
    }

    @Test("a note of chunks that stands beside their envelope takes nothing away")
    func sweepsNoMessage() throws {
        var queue = try RocksQueue.openSample(scratch)
        #expect(queue.writeChunkAndWait(Sample.id(1), 0, [1, 2, 3]).isSuccess)
        #expect(queue.commitAndWait([.accept(chunked(1, chunks: 1))]).isSuccess)
        _ = try queue.database.read { (database) throws(DatabaseError) in
            let batch = Batch()
            batch.put(database[.state], key: Key.chunksPrefix + Sample.id(1).octets, value: [])
            try batch.write(to: database, synced: true)
        }
        queue.close()
        queue = try RocksQueue.openSample(scratch)
        #expect(try queue.contentPiece(Sample.id(1), number: 0) == [1, 2, 3])
        #expect(queue.countKeys(.state) == 1, "the note is gone")
        queue.close()
    }

    @Test("the envelope brings chunks along that still wait to be written")
    func envelopeDoesNotPassItsChunks() throws {
        let queue = try RocksQueue.openSample(scratch) { $0.chunkOctetsPerBatch = 1 }
        defer { queue.close() }
        for number in 0..<UInt32(50) {
            queue.writeChunk(Sample.id(1), number: number, octets: [[UInt8(number)]], lane: InlineLane()) {
                _ in
            }
        }
        #expect(queue.commitAndWait([.accept(chunked(1, chunks: 50))]).isSuccess)
        for number in 0..<UInt32(50) {
            #expect(try queue.contentPiece(Sample.id(1), number: number) == [UInt8(number)])
        }
    }

    @Test("dropped chunks are gone")
    func drops() throws {
        let queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        for number in 0..<UInt32(3) {
            #expect(queue.writeChunkAndWait(Sample.id(1), number, [1, 2, 3]).isSuccess)
        }
        queue.dropChunks(Sample.id(1), count: 3)
        #expect(queue.commitAndWait([.accept(Sample.message(5))]).isSuccess)
        #expect(queue.commitAndWait([.accept(Sample.message(6))]).isSuccess)
        #expect(queue.countKeys(.content) == 2)
        #expect(queue.countKeys(.state) == 1)
    }
}

extension RocksQueue {
    func countKeys(_ family: Family) -> Int {
        var count = 0
        _ = try? database.read { (database) throws(DatabaseError) in
            try database.walk(family) { _, _ in
                count += 1
                return true
            }
        }
        return count
    }
}
