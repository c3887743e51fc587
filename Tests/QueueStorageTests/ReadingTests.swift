import MailValues
import QueueEngine
import Testing

@testable import QueueStorage

@Suite struct ReadingTests {
    /// Octets of tables that the library keeps in memory.
    private func cached(_ queue: RocksQueue) throws -> Int {
        let octets = try queue.database.read { (database) throws(DatabaseError) in
            database.property("rocksdb.block-cache-usage", .envelope)
        }
        return try #require(octets)
    }

    @Test("envelopes of one block are read once, and a look at all of them leaves no trace in memory")
    func neighboursShareABlock() throws {
        let scratch = ScratchDirectory()
        let queue = try RocksQueue.openSample(scratch)
        defer { queue.close() }
        let first = (0..<20).map { QueueChange.accept(Sample.message($0, octets: 300)) }
        #expect(queue.commitAndWait(first).isSuccess)
        _ = try queue.database.read { (database) throws(DatabaseError) in try database.flushAll() }
        let before = try cached(queue)
        #expect(try queue.all().count == 20)
        #expect(try cached(queue) == before)
        #expect(try queue.envelope(Sample.id(3))?.id == Sample.id(3))
        let after = try cached(queue)
        #expect(after > before)
        for number in 0..<20 { #expect(try queue.envelope(Sample.id(number))?.id == Sample.id(number)) }
        #expect(try cached(queue) == after)
    }
}
