import QueueEngine
import Testing

@testable import QueueStorage

@Suite struct ChunkPaceTests {
    private let start = ContinuousClock.now

    @Test("chunks wait for nobody while no small message comes")
    func alone() {
        var pace = ChunkPace()
        pace.chunksTook(.milliseconds(3))
        #expect(pace.wait(at: start) == .zero)
        pace.smallCame(at: start)
        #expect(pace.wait(at: start + ChunkPace.remembered) == .zero)
    }

    @Test(
        "beside small messages they wait as long as they took, and no longer than is bearable",
        arguments: [(0, 0), (1, 1), (4, 4), (5, 5), (50, 5)])
    func beside(_ took: Int, _ waits: Int) {
        var pace = ChunkPace()
        pace.smallCame(at: start)
        pace.chunksTook(.milliseconds(took))
        #expect(pace.wait(at: start + .milliseconds(99)) == .milliseconds(waits))
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
