import QueueEngine
import Synchronization
import Testing
import Threads

@testable import QueueStorage

@Suite struct ChunkPaceTests {
    private let scratch = ScratchDirectory()
    private let start = ContinuousClock.now

    @Test("chunks wait for nobody while no small message comes")
    func alone() {
        var pace = ChunkPace(rate: 1_000)
        pace.chunksWritten(1_000_000, from: start, to: start + .milliseconds(3))
        #expect(pace.wait(at: start + .milliseconds(3)) == .zero)
        pace.smallCame(at: start)
        #expect(pace.wait(at: start + ChunkPace.remembered) == .zero)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var octets: Int
        var took: Duration
        var wait: Duration
        init(_ octets: Int, took: Int, wait: Int) {
            self.octets = octets
            self.took = .milliseconds(took)
            self.wait = .milliseconds(wait)
        }
        var testDescription: String { "\(octets) octets in \(took)" }
    }

    @Test(
        "beside small messages they keep to the rate, leave half of the time where the disk is slow, and go on",
        arguments: [
            Case(0, took: 0, wait: 0), Case(20_000, took: 1, wait: 19), Case(20_000, took: 10, wait: 10),
            Case(20_000, took: 15, wait: 15), Case(20_000, took: 90, wait: 90),
            Case(20_000, took: 500, wait: 100), Case(5_000_000, took: 1, wait: 100),
        ])
    func beside(_ sample: Case) {
        var pace = ChunkPace(rate: 1_000_000)
        let end = start + sample.took
        pace.smallCame(at: end)
        pace.chunksWritten(sample.octets, from: start, to: end)
        #expect(pace.wait(at: end) == sample.wait)
        #expect(pace.wait(at: end + sample.wait / 2) == sample.wait / 2)
        #expect(pace.wait(at: end + sample.wait) == .zero)
    }

    @Test(
        "however many small messages come, large ones get their rate and no more", arguments: [1, 10, 3_000])
    func flows(_ smallPerSecond: Int) {
        var pace = ChunkPace(rate: 4_000_000)
        var written = 0
        for step in 0..<10_000 {
            let now = start + .milliseconds(step)
            if step % max(1_000 / smallPerSecond, 1) == 0 { pace.smallCame(at: now) }
            guard pace.wait(at: now) == .zero else { continue }
            pace.chunksWritten(16_000, from: now, to: now)
            written += 16_000
        }
        #expect(written == 40_000_000)
    }

    @Test("a large message is written while small ones never cease, at the lowest of rates")
    func doesNotStarve() throws {
        let queue = try RocksQueue.openSample(scratch) { $0.chunkRateBesideSmall = 1 }
        defer { queue.close() }
        try #require(queue.commitAndWait([.accept(Sample.message(1))]).isSuccess)
        let written = Mutex(0)
        for number in 0..<UInt32(3) {
            let chunk = [[UInt8](repeating: 0, count: 256 << 10)]
            queue.writeChunk(Sample.id(0), number: number, octets: chunk, lane: InlineLane()) { _ in
                written.withLock { $0 += 1 }
            }
        }
        var next = 2
        var last = ContinuousClock.now
        var longest = Duration.zero
        // Two waits of 100 ms: however fast the disk is, they are over long before so many commits.
        while written.withLock({ $0 }) < 3, next < 100_000 {
            try #require(queue.commitAndWait([.accept(Sample.message(next))]).isSuccess)
            next += 1
            longest = max(longest, .now - last)
            last = .now
        }
        #expect(written.withLock { $0 } == 3)
        // Where one commit takes as long as a wait, none fits between two chunks.
        if longest < ChunkPace.waitLongest / 4 { #expect(next > 3, "small messages went between the chunks") }
    }

    @Test("a commit does not let chunks in before they are due")
    func commitIsNoPass() throws {
        // One batch at a time, and the next one 100 ms later: fifty commits in between would have let fifty in.
        let queue = try RocksQueue.openSample(scratch) {
            $0.chunkRateBesideSmall = 1
            $0.chunkOctetsPerBatch = 1
        }
        defer { queue.close() }
        #expect(queue.commitAndWait([.accept(Sample.message(1_000))]).isSuccess)
        let begun = ContinuousClock.now
        let written = Mutex(0)
        for number in 0..<UInt32(1_000) {
            queue.writeChunk(Sample.id(0), number: number, octets: [[1]], lane: InlineLane()) { _ in
                written.withLock { $0 += 1 }
            }
        }
        var last = begun
        var longestPause = Duration.zero
        for id in 1...50 {
            #expect(queue.commitAndWait([.accept(Sample.message(id))]).isSuccess)
            longestPause = max(longestPause, .now - last)
            last = .now
        }
        let count = written.withLock { $0 }
        // A machine that stood still between two commits had no small mail to keep a pace for.
        guard longestPause < ChunkPace.remembered / 2 else { return }
        #expect(count <= Int((ContinuousClock.now - begun) / ChunkPace.waitLongest) + 2)
    }

    private func chunk(_ number: UInt32) -> Inbox.Chunk {
        Inbox.Chunk(id: Sample.id(0), number: number, octets: [], lane: InlineLane()) { _ in }
    }

    private var commit: Inbox.Commit {
        Inbox.Commit(changes: [.accept(Sample.message(1))], lane: InlineLane()) { _ in }
    }

    @Test("a writer that keeps its pace is woken by a commit, not by chunks")
    func sleep() async {
        let inbox = Inbox()
        var waiting = Inbox.Waiting()
        #expect(inbox.put { $0.chunks.append(chunk(0)) })
        inbox.take(into: &waiting, patience: .milliseconds(1), forCommits: true)
        #expect(waiting.chunks.count == 1)
        waiting.chunks = []
        let (stream, taken) = AsyncStream.makeStream(of: (commits: Int, chunks: Int).self)
        let writer = WorkerThread(name: "test") {
            var waiting = Inbox.Waiting()
            inbox.take(into: &waiting, patience: .seconds(600), forCommits: true)
            taken.yield((waiting.commits.count, waiting.chunks.count))
            taken.finish()
        }
        for number in 1...50 { #expect(inbox.put { $0.chunks.append(chunk(UInt32(number))) }) }
        #expect(inbox.put { $0.commits.append(commit) })
        for await seen in stream {
            #expect(seen.commits == 1)
            #expect(seen.chunks == 50)
        }
        writer.join()
    }
}
