import DequeModule
import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import Telemetry

extension Dispatcher {
    /// Settles what needs no connection, one after another, until nothing is left.
    func settleMatters() async {
        while let matter = state.withLock({ $0.nextMatter() }) {
            guard let record = settlementRecord(of: matter) else { continue }
            // One at a time on the disk for each settler: nobody waits for these, and mail in motion goes
            // first.
            await settle(record)
        }
    }

    /// Commits a record, and returns when the schedule knows of it, or the store refused it.
    func settle(_ record: Record) async {
        await withCheckedContinuation { continuation in
            var record = record
            record.done = { continuation.resume() }
            commit(record)
        }
    }

    private func settlementRecord(of matter: Matter) -> Record? {
        guard let envelope = load(matter.work, worker: nil) else { return nil }
        let indices = envelope.waitingIndices(for: matter.work.domain)
        let (kind, failure) = outcome(of: matter)
        let results = indices.map { RecipientResult(index: $0, kind: kind, failure) }
        return makeRecord(matter.work, envelope, results, AttemptPlace(host: failure.host), worker: nil)
    }

    private func outcome(of matter: Matter) -> (RecipientResult.Kind, HostFailure) {
        switch matter.cause {
        case .never(let reply): return (.bounced, HostFailure(reply: reply, host: nil, isOurWord: true))
        case .failed(let failure): return (.deferred, failure)
        case .returned(let failure): return (.bounced, failure)
        case .overdue:
            let silence = HostFailure(
                reply: Reply(451, EnhancedStatus(4, 4, 1), "No host of the destination answers"), host: nil,
                isOurWord: true)
            return (.deferred, state.withLock { $0.lastFailure(of: matter.work.slot) } ?? silence)
        }
    }
}

extension DispatchState {
    fileprivate mutating func nextMatter() -> Matter? {
        if !isStopping, let matter = matters.popFirst() { return matter }
        settlerCount -= 1
        return nil
    }

    /// What last kept an entry's site from taking mail.
    func lastFailure(of slot: Slot) -> HostFailure? {
        guard case .site(let site, _) = domains[Int(scheduler.domainIndex(slot).rawValue)].kind else {
            return nil
        }
        return sites[site].lastFailure
    }
}
