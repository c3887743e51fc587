import Glibc
import MailValues
import QueueEngine
import Testing

@testable import QueueStorage

/// A store as a kill leaves it, of which copies are damaged.
final class DamagedStore {
    let scratch = ScratchDirectory()
    /// Numbers of the messages that were promised and not removed.
    let accepted: Set<Int>
    let contentOctets: Int
    /// Where the copy is that was made last.
    private(set) var copy = ScratchDirectory()
    private var last: (file: String, change: ((inout [UInt8]) -> Void)?) = ("", nil)

    /// - Parameter count: from about 1,500 messages of 1,200 octets on, there are tables and blob files as
    /// well.
    init(count: Int = 400, octets: Int = 600, removeEvery: Int = 1_000_000) throws {
        let (accepted, removed) = try Crasher(
            scratch.store, count: count, octets: octets, removeEvery: removeEvery, end: "die"
        ).run()
        #expect(accepted.count == count)
        self.accepted = accepted.subtracting(removed)
        contentOctets = octets
    }

    /// Writes everything out, so that all that is told of in the logs is in tables and blob files too.
    func flush() throws {
        let queue = try RocksQueue.openSample(scratch)
        _ = try queue.database.read { (database) throws(DatabaseError) in try database.flushAll() }
        queue.close()
    }

    /// The last file whose name ends, or begins, so.
    func file(_ part: String) throws -> String {
        try #require(scratch.files.last { $0.hasSuffix(part) || $0.hasPrefix(part) })
    }

    func size(_ file: String) throws -> Int { try ScratchDirectory.read(scratch.store + "/" + file).count }

    /// What was done last, once more in a fresh copy: an opened store has changed its files.
    func damageAgain() throws { try damage(last.file, last.change) }

    /// A fresh copy in which `change` was done to `file`; nil takes the file away.
    func damage(_ file: String, _ change: ((inout [UInt8]) -> Void)?) throws {
        last = (file, change)
        copy = ScratchDirectory()
        try ScratchDirectory.copy(scratch.store, to: copy.store)
        guard let change else {
            unlink(copy.store + "/" + file)
            return
        }
        var octets = try ScratchDirectory.read(copy.store + "/" + file)
        change(&octets)
        ScratchDirectory.write(octets, to: copy.store + "/" + file)
    }

    enum Outcome: Equatable {
        /// By name, and with the way out.
        case refused(file: String)
        /// Opened; what is there, and whether the store says that something is wrong with it.
        case opened(Set<Int>, isLoud: Bool)
    }

    /// Opens the copy and reads everything in it.
    func open() throws -> Outcome {
        let queue: RocksQueue
        do {
            queue = try RocksQueue.openSample(copy)
        } catch let error as StoreOpenError {
            guard case .damaged(let file, _) = error else { throw error }
            #expect(error.description.contains("chappe store repair"))
            return .refused(file: file)
        }
        defer { queue.close() }
        let seen = try contents(queue)
        let statistics = queue.examine { _ in true }
        #expect((statistics.damageCount == 0) == statistics.damages.isEmpty)
        return .opened(seen, isLoud: statistics.damageCount > 0)
    }

    /// Numbers of the messages that can be read whole; whatever can be read is what was written.
    private func contents(_ queue: RocksQueue) throws -> Set<Int> {
        var numbers: Set<Int> = []
        let envelopes: [Envelope]
        do { envelopes = try queue.all() } catch {
            #expect(queue.statistics.damageCount > 0, "\(error)")
            return []
        }
        for envelope in envelopes {
            let number = Int(envelope.id.low)
            do {
                let piece = try queue.contentPiece(envelope.id, number: 0)
                #expect(piece == Array(repeating: UInt8(truncatingIfNeeded: number), count: contentOctets))
                numbers.insert(number)
            } catch {
                #expect(queue.statistics.damageCount > 0, "\(error)")
            }
        }
        return numbers
    }

    /// Repairs the copy, and returns what is there afterwards; checks that it is held, reads, and that
    /// nothing went unsaid.
    @discardableResult
    func repair() throws -> (left: Set<Int>, report: RepairReport) {
        let report = try RocksQueue.repair(directory: copy.store, now: Sample.start)
        let queue = try RocksQueue.openSample(copy)
        defer { queue.close() }
        let envelopes = try queue.all()
        #expect(envelopes.allSatisfy { $0.hold?.by == "repair" })
        #expect(envelopes.count == report.messages)
        let left = try contents(queue)
        #expect(left.count == report.messages, "what is there can be read")
        #expect(queue.examine { _ in true }.damageCount == 0)
        let gone = Set(report.gone.map { Int($0.id.low) })
        #expect(gone.isDisjoint(with: left))
        let unnamed = accepted.subtracting(left).subtracting(gone)
        #expect(
            unnamed.isEmpty || !report.damages.isEmpty || report.missingLogOctets > 0,
            "\(unnamed.count) in silence")
        return (left, report)
    }
}
