import DequeModule
import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import Telemetry

extension Dispatcher {
    /// Settles what needs no connection, one after another, until nothing is left.
    func settleMatters() async {
        while let matters = state.withLock({ $0.nextMatters() }) {
            guard let record = settlementRecord(of: matters) else { continue }
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

    /// - Parameter matters: all of one message.
    private func settlementRecord(of matters: [Matter]) -> Record? {
        guard let (envelope, works) = load(jointly: matters.map(\.work)) else { return nil }
        var parts: [Record.Part] = []
        for work in works {
            guard let matter = matters.first(where: { $0.work.slot == work.slot }) else { continue }
            parts.append(part(of: matter, work, envelope))
        }
        return makeRecord(envelope, parts[0], more: Array(parts.dropFirst()), worker: nil)
    }

    private func part(of matter: Matter, _ work: Work, _ envelope: Envelope) -> Record.Part {
        if case .answered(let results, let place) = matter.cause {
            return Record.Part(work: work, results: results, place: place)
        }
        let (kind, failure) = outcome(of: matter)
        let results = envelope.waitingIndices(for: work.domain).map {
            RecipientResult(index: $0, kind: kind, failure)
        }
        return Record.Part(work: work, results: results, place: AttemptPlace(host: failure.host))
    }

    private func outcome(of matter: Matter) -> (RecipientResult.Kind, HostFailure) {
        switch matter.cause {
        case .never(let reply): return (.bounced, HostFailure(reply: reply, host: nil, isOurWord: true))
        case .failed(let failure): return (.deferred, failure)
        case .returned(let failure): return (.bounced, failure)
        case .answered: preconditionFailure("an attempt's results are settled as they are")
        case .overdue:
            let silence = HostFailure(
                reply: Reply(451, EnhancedStatus(4, 4, 1), "No host of the destination answers"), host: nil,
                isOurWord: true)
            return (.deferred, state.withLock { $0.lastFailure(of: matter.work.slot) } ?? silence)
        }
    }
}

extension DispatchState {
    fileprivate mutating func nextMatters() -> [Matter]? {
        if let next = matters.popFirst() { return next }
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
