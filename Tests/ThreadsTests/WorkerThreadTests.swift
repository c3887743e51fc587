import Synchronization
import Testing

@testable import Threads

@Suite struct WorkerThreadTests {
    @Test("what a thread did is there when it was joined")
    func joins() {
        let count = Atomic(0)
        let threads = (0..<4).map { number in
            WorkerThread(name: "test-\(number)") { count.add(1, ordering: .sequentiallyConsistent) }
        }
        for thread in threads { thread.join() }
        #expect(count.load(ordering: .sequentiallyConsistent) == 4)
    }

    @Test("a thread that was let go does its work all the same")
    func letsGo() async {
        let (done, finish) = AsyncStream.makeStream(of: Void.self)
        WorkerThread(name: "test") { finish.finish() }.letGo()
        for await _ in done {}
    }
}
