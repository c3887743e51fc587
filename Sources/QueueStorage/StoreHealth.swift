import QueueEngine
import Synchronization

/// Whether the store can write, and what it has done: written by the writer's thread, read by all.
final class StoreHealth: Sendable {
    private struct State {
        var statistics = StoreStatistics()
        var refusal: StoreError?
        var findings: Set<StoreFinding> = []
    }

    /// Findings that are told one by one; the rest is counted.
    private static let findingsTold = 8

    private let well = Atomic<Bool>(true)
    private let state = Mutex(State())

    var isWell: Bool { well.load(ordering: .relaxed) }
    var refusal: StoreError? { isWell ? nil : state.withLock { $0.refusal } }
    var statistics: StoreStatistics { state.withLock { $0.statistics } }

    func batchWritten(commits: Int, octets: Int, growth: Int, took duration: Duration) {
        state.withLock { state in
            state.statistics.commits += commits
            state.statistics.batches += 1
            state.statistics.batchOctets += octets
            state.statistics.largestBatchCommits = max(state.statistics.largestBatchCommits, commits)
            state.statistics.waitingMessages = max(0, state.statistics.waitingMessages + growth)
            state.statistics.recordSync(duration)
        }
    }

    /// A count made by walking over `counted` envelopes while the queue went from `before` to what it is now.
    func counted(_ counted: Int, before: Int) {
        state.withLock {
            $0.statistics.waitingMessages = max(0, $0.statistics.waitingMessages - before + counted)
        }
    }

    func fallSick(_ refusal: StoreError, detail: String) {
        state.withLock { state in
            state.refusal = refusal
            state.statistics.sickness = detail
            state.statistics.failedBatches += 1
        }
        well.store(false, ordering: .relaxed)
    }

    /// Octets are not what was written: from now on this is said until the store is opened by another
    /// process.
    func found(_ finding: StoreFinding) {
        state.withLock { state in
            guard state.findings.count < 10_000, state.findings.insert(finding).inserted else { return }
            state.statistics.damageCount += 1
            if state.statistics.damages.count < Self.findingsTold {
                state.statistics.damages.append(finding.description)
            }
        }
    }

    /// A whole examination has ended.
    func examined() { state.withLock { $0.statistics.examinations += 1 } }

    func recover() {
        state.withLock { state in
            state.refusal = nil
            state.statistics.sickness = nil
            state.statistics.reopenings += 1
        }
        well.store(true, ordering: .relaxed)
    }
}
