import MailValues
import QueueEngine
import Testing

@testable import QueueStorage

@Suite struct NoteTests {
    private static func notes(_ store: RocksQueue, under prefix: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        try store.notes(under: Array(prefix.utf8)) { key, value in
            found[String(decoding: key, as: UTF8.self)] = value
            return true
        }
        return found
    }

    @Test("notes are put, replaced and removed with the changes beside them, and survive a start")
    func keepsNotes() throws {
        let folder = ScratchDirectory()
        var store = try RocksQueue.open(directory: folder.store, now: Sample.start)
        let put: [QueueChange] = [
            .accept(Sample.message(1)), .note(key: Array("a/1".utf8), value: [1]),
            .note(key: Array("a/2".utf8), value: []), .note(key: Array("b/1".utf8), value: [3]),
        ]
        try store.commitAndWait(put).get()
        try store.commitAndWait([
            .note(key: Array("a/1".utf8), value: [4]), .note(key: Array("b/1".utf8), value: nil),
        ]).get()
        store.close()
        store = try RocksQueue.open(directory: folder.store, now: Sample.start)
        defer { store.close() }
        #expect(try Self.notes(store, under: "a/") == ["a/1": [4], "a/2": []])
        #expect(try Self.notes(store, under: "") == ["a/1": [4], "a/2": []])
        #expect(try store.all().map(\.id) == [Sample.id(1)])
    }

    @Test("an offered message keeps its content, and is nobody's to attempt, across a start")
    func keepsOffers() throws {
        let folder = ScratchDirectory()
        var store = try RocksQueue.open(directory: folder.store, now: Sample.start)
        try store.commitAndWait([.accept(Sample.message(1))]).get()
        var envelope = try #require(try store.envelope(Sample.id(1)))
        envelope.offered = Envelope.Handover(Sample.node(1), epoch: 1)
        try store.commitAndWait([.amend(envelope)]).get()
        store.close()
        store = try RocksQueue.open(directory: folder.store, now: Sample.start)
        defer { store.close() }
        #expect(try store.all() == [envelope])
        #expect(try store.contentPiece(Sample.id(1), number: 0) == Sample.content(1))
    }
}
