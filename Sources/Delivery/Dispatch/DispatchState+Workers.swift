import MailValues
import QueueEngine

extension DispatchState {
    enum Next {
        case work(Work)
        /// Nothing to do, or too much unrecorded: the continuation is kept.
        case wait
        case end
    }

    /// What a connection does next.
    mutating func next(
        for worker: Int, mayDeliver: Bool, now: Timestamp, continuation: CheckedContinuation<Work?, Never>?
    ) -> Next {
        if isStopping { return .end }
        if workers[worker].unrecordedCount >= settings.unrecordedPerConnection {
            if let continuation { workers[worker].phase = .awaitingRecord(continuation) }
            return .wait
        }
        let site = workers[worker].site
        if mayDeliver, let work = take(site) { return .work(work) }
        if let continuation {
            workers[worker].phase = .idle(since: now, continuation)
            sites[site].idle.append(Site.Idle(worker: worker, home: workers[worker].home))
        }
        return .wait
    }

    /// An outcome of this worker is on the disk, or will not get there.
    mutating func recorded(_ worker: Int, now: Timestamp, _ effects: inout Effects) {
        workers[worker].unrecordedCount -= 1
        if workers[worker].hasEnded {
            if workers[worker].unrecordedCount == 0 { workers.remove(worker, leaving: .gone) }
            return
        }
        guard case .awaitingRecord(let continuation) = workers[worker].phase else { return }
        let site = workers[worker].site
        if isStopping {
            workers[worker].phase = .busy
            effects.resumed.append((continuation, nil))
        } else if mayDeliver, let work = take(site) {
            workers[worker].phase = .busy
            effects.resumed.append((continuation, work))
        } else {
            workers[worker].phase = .idle(since: now, continuation)
            sites[site].idle.append(Site.Idle(worker: worker, home: workers[worker].home))
        }
    }

    /// Sends an idle connection home.
    mutating func dismiss(_ worker: Int, _ effects: inout Effects) {
        guard case .idle(_, let continuation) = workers[worker].phase else { return }
        sites[workers[worker].site].idle.removeAll { $0.worker == worker }
        workers[worker].phase = .busy
        effects.resumed.append((continuation, nil))
    }
}
