import MailValues
import MessageFormat
import QueueEngine
import SMTPProtocol
import Synchronization
import Telemetry

/// An outcome on its way to the disk, and what follows once it is there.
struct Record: Sendable {
    var slot: Slot
    var id: QueueID
    var fingerprints: [Fingerprint]
    var changes: [QueueChange]
    /// For the event file; the ledger has the same lines among `changes`.
    var lines: [[UInt8]]
    /// When the entry goes on; nil: it is done.
    var nextAttempt: Timestamp?
    var failures: Int
    /// What removes the message, if this entry is the last; nil: `changes` do.
    var removal: QueueChange?
    var worker: Int?
    /// Some recipient is done: unrecorded, that would be done twice.
    var isFinal: Bool
    var tellsOfDelay = false
    var report: NewMessage?
    var tally: Tally
    /// What is recorded where the store takes no report.
    var withoutReport: PlainRecord?
    /// Who waits for the outcome to be dealt with.
    var done: (@Sendable () -> Void)?

    struct Tally: Sendable {
        var delivered = 0
        var deferred = 0
        var bounced = 0
        var expired = 0
        var doubleBounces = 0
    }
}

/// What a record was made of, to make it again.
final class PlainRecord: Sendable {
    let work: Work
    let envelope: Envelope
    let results: [RecipientResult]
    let place: AttemptPlace

    init(work: Work, envelope: Envelope, results: [RecipientResult], place: AttemptPlace) {
        self.work = work
        self.envelope = envelope
        self.results = results
        self.place = place
    }
}

extension Dispatcher {
    /// Makes an attempt's results durable. Returns at once; the worker may run ahead by a few.
    func record(_ work: Work, _ envelope: Envelope, _ results: [RecipientResult], _ session: SiteSession) {
        let place = AttemptPlace(
            host: session.hostText, address: session.addressText, tls: session.tlsText,
            isReused: session.messageCount > 1)
        if results.count == 1, results[0].kind == .delivered,
            results[0].peerReports || !envelope.recipients[results[0].index].wants(.success)
        {
            recordDelivery(work, envelope, results[0], place, worker: session.worker)
            return
        }
        let now = seams.clock.now
        let worker = session.worker
        change { state, effects in
            state.workers[worker].unrecordedCount += 1
            if results.contains(where: \.isAnswer) { state.answered(worker, now: now, &effects) }
        }
        commit(
            makeRecord(
                work, envelope, results, place, worker: session.worker,
                isFinalDelivery: session.destination.language == .lmtp))
    }

    /// The way of nearly all mail: one recipient, delivered, nothing left.
    private func recordDelivery(
        _ work: Work, _ envelope: Envelope, _ result: RecipientResult, _ place: AttemptPlace, worker: Int
    ) {
        let now = seams.clock.now
        let isOnly = change { state, effects in
            state.workers[worker].unrecordedCount += 1
            state.answered(worker, now: now, &effects)
            return state.scheduler.isOnly(work.slot)
        }
        let attempts = envelope.recipients[result.index].progress.attempts + 1
        let line = place.event(
            .delivery, envelope, [result.index], result.reply, attempts: attempts, now: now
        ).encoded()
        let removal = QueueChange.remove(
            envelope.id, chunkCount: envelope.chunkCount, recipientCount: envelope.recipients.count)
        let ledger = QueueChange.ledger(LedgerLine(id: envelope.id, at: now, line: line))
        var record = Record(
            slot: work.slot, id: work.id, fingerprints: envelope.fingerprints, changes: [removal, ledger],
            lines: [line], nextAttempt: nil,
            failures: 0, removal: nil, worker: worker, isFinal: true, tally: Record.Tally(delivered: 1))
        if !isOnly {
            var progress = envelope.recipients[result.index].progress
            progress.state = .delivered
            progress.attempts = attempts
            progress.lastAttempt = now
            progress.lastReply = result.reply
            progress.lastHost = result.host
            progress.nextAttempt = nil
            record.changes = [.progress(envelope.id, [(result.index, progress)]), ledger]
            record.removal = removal
        }
        commit(record)
    }

    func makeRecord(
        _ work: Work, _ envelope: Envelope, _ results: [RecipientResult], _ place: AttemptPlace, worker: Int?,
        mayReport: Bool = true, isFinalDelivery: Bool = false
    ) -> Record {
        let now = seams.clock.now
        let (settlement, isOnly, settings, reportID) = state.withLock { state in
            let settlement = Settlement(
                of: envelope, results: results, now: now, schedule: state.settings.retry,
                failures: work.failures,
                mayReport: mayReport, isFinalDelivery: isFinalDelivery, random: &state.random)
            return (settlement, state.scheduler.isOnly(work.slot), state.settings, state.newID(now: now))
        }
        var record = Record(
            slot: work.slot, id: work.id, fingerprints: envelope.fingerprints, changes: [], lines: [],
            nextAttempt: settlement.nextAttempt,
            failures: work.failures + 1, removal: nil, worker: worker,
            isFinal: settlement.deliveredCount + settlement.bouncedCount > 0,
            tellsOfDelay: settlement.tellsOfDelay,
            tally: Record.Tally(
                delivered: settlement.deliveredCount, deferred: settlement.deferredCount,
                bounced: settlement.bouncedCount, expired: settlement.expiredCount))
        let removal = QueueChange.remove(
            envelope.id, chunkCount: envelope.chunkCount, recipientCount: envelope.recipients.count)
        if isOnly && settlement.nextAttempt == nil {
            record.changes.append(removal)
        } else {
            record.changes.append(.progress(envelope.id, settlement.progress))
            record.removal = removal
        }
        if settlement.tellsOfDelay {
            // As it is now: an operator may have held another part of the message meanwhile.
            var told = (try? seams.store.envelope(envelope.id)) ?? envelope
            told.delayNotifiedAt = now
            record.changes.append(.amend(told))
        }
        record.lines = place.lines(envelope, results, settlement.progress, now: now)
        if !settlement.reported.isEmpty, let sender = envelope.reversePath.mailbox {
            let report = report(
                to: sender, about: envelope, settlement.reported, fresh: work.fresh, id: reportID, now: now,
                settings)
            record.changes.append(.accept(report))
            record.lines.append(
                place.reportEvent(report, about: envelope, settlement.reported, now: now).encoded())
            record.report = report
        } else if envelope.reversePath == .null && settlement.bouncedCount > 0 {
            record.tally.doubleBounces = 1
            var event = Event(.doubleBounce, at: now, message: envelope.id)
            event.add("reason", .text(results.first { $0.kind != .delivered }?.reply.description ?? ""))
            record.lines.append(event.encoded())
            if let recipient = settings.doubleBounceRecipient {
                let over = zip(results, settlement.progress).filter { $0.1.progress.state == .bounced }
                let lines = over.map { result, _ in
                    DeliveryReport.Recipient(
                        mailbox: envelope.recipients[result.index].mailbox, action: .failed,
                        status: result.reply.enhanced ?? EnhancedStatus(5, 0, 0), remoteHost: result.host,
                        reply: result.reply, isOurWord: result.isOurWord, lastAttempt: now)
                }
                // Reports about reports end here: the postmaster's own is given up in silence.
                if !envelope.recipients.contains(where: { $0.mailbox == recipient }) {
                    let report = report(
                        to: recipient, about: envelope, lines, fresh: work.fresh, id: reportID, now: now,
                        settings)
                    record.changes.append(.accept(report))
                    record.report = report
                }
            }
        }
        for line in record.lines {
            record.changes.append(.ledger(LedgerLine(id: envelope.id, at: now, line: line)))
        }
        if record.report != nil {
            // Where the store takes no new message, the same results without a report.
            let plain =
                mayReport ? PlainRecord(work: work, envelope: envelope, results: results, place: place) : nil
            record.withoutReport = plain
        }
        return record
    }

    // MARK: The store

    func commit(_ record: Record) {
        seams.store.commit(record.changes, lane: lane) { [self] result in
            switch result {
            case .success: recorded(record)
            case .failure(.full) where record.withoutReport != nil: commitWithoutReport(record)
            case .failure:
                if record.isFinal { keepForLater(record) } else { recorded(record, isDurable: false) }
            }
        }
    }

    private func commitWithoutReport(_ record: Record) {
        guard let plain = record.withoutReport else { return }
        var again = makeRecord(
            plain.work, plain.envelope, plain.results, plain.place, worker: record.worker, mayReport: false)
        again.done = record.done
        commit(again)
    }

    /// The outcome is on the disk: the schedule follows.
    private func recorded(_ record: Record, isDurable: Bool = true) {
        let now = seams.clock.now
        let isLast = change { state, effects in
            var isLast = false
            if record.tellsOfDelay { state.scheduler.noticeGiven(record.slot) }
            if let next = record.nextAttempt {
                state.scheduler.putOff(record.slot, until: next, failures: record.failures)
            } else {
                isLast = state.scheduler.finish(record.slot)
                if isLast { state.fingerprints.remove(record.fingerprints, of: record.id) }
            }
            state.counters.count(record)
            if let worker = record.worker { state.recorded(worker, now: now, &effects) }
            return isLast
        }
        if isLast, let removal = record.removal {
            // Other entries were in flight when this one's outcome was written; now none is left.
            seams.store.commit([removal], lane: lane) { _ in }
        }
        if isDurable { for line in record.lines { seams.events.write(line) } }
        if isDurable, let report = record.report { arrived(report.envelope, content: report.content) }
        record.done?()
    }

    // MARK: What the store refused

    /// Delivered, and not to be recorded: it is kept until it can be, since the entry must not go out again.
    private func keepForLater(_ record: Record) {
        state.withLock { state in
            var kept = record
            kept.done = nil
            state.unrecorded.append(kept)
            state.counters.recordsRefused += 1
        }
        record.done?()
    }

    /// Offers the store again what it refused.
    func retryRecords(now: Timestamp) {
        let records = change { state, effects in state.takeUnrecorded(now: now, &effects) }
        for record in records { commit(record) }
    }
}

extension DispatchState {
    static let recordRetryPause: Duration = .seconds(1)

    /// All that is to be offered again, at most once a second; at the end of a stop's grace it is given up.
    fileprivate mutating func takeUnrecorded(now: Timestamp, _ effects: inout Effects) -> [Record] {
        guard !unrecorded.isEmpty else { return [] }
        if let abortAt, now >= abortAt {
            counters.recordsGivenUp += unrecorded.count
            for record in unrecorded {
                if let worker = record.worker { recorded(worker, now: now, &effects) }
            }
            unrecorded.removeAll()
            return []
        }
        guard now >= unrecordedNext else { return [] }
        unrecordedNext = now + Self.recordRetryPause
        defer { unrecorded.removeAll() }
        return unrecorded
    }

    mutating func newID(now: Timestamp) -> QueueID {
        QueueID(
            at: now, entropyHigh: UInt16(truncatingIfNeeded: random.next()), entropyLow: random.next())
    }
}

extension DeliveryCounters {
    fileprivate mutating func count(_ record: Record) {
        delivered += record.tally.delivered
        deferred += record.tally.deferred
        bounced += record.tally.bounced
        expired += record.tally.expired
        doubleBounces += record.tally.doubleBounces
        if record.report != nil { reports += 1 }
    }
}
