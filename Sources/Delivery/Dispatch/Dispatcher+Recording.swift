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
    /// The other entries whose outcome this is, too.
    var companions: [Companion] = []
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

    struct Companion: Sendable {
        var slot: Slot
        var nextAttempt: Timestamp?
        var failures: Int
    }

    /// What one entry brings to a record.
    struct Part: Sendable {
        var work: Work
        var results: [RecipientResult]
        var place: AttemptPlace
    }

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
    let envelope: Envelope
    let first: Record.Part
    let more: [Record.Part]

    init(envelope: Envelope, first: Record.Part, more: [Record.Part]) {
        self.envelope = envelope
        self.first = first
        self.more = more
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
        let isGathered = change { state, effects in
            if results.contains(where: \.isAnswer) { state.answered(worker, now: now, &effects) }
            if state.mayEndWithOthers(work.slot), state.isReportedFailure(results, of: envelope, now: now) {
                state.settle(Matter(work: work, cause: .answered(results, place)), now: now, &effects)
                return true
            }
            state.workers[worker].unrecordedCount += 1
            return false
        }
        if isGathered { return }
        commit(
            makeRecord(
                envelope, Record.Part(work: work, results: results, place: place), worker: session.worker,
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

    /// - Parameters:
    ///   - more: what other entries of the message bring; the sender gets one report of all.
    func makeRecord(
        _ envelope: Envelope, _ first: Record.Part, more: [Record.Part] = [], worker: Int?,
        mayReport: Bool = true, isFinalDelivery: Bool = false
    ) -> Record {
        let now = seams.clock.now
        let work = first.work
        // Only what never had a connection hurries after its route: a message that breaks each connection it
        // gets would be the first on the next one too, and keep the route from all others.
        let failedWithRoute = worker == nil && more.isEmpty
        let results = more.isEmpty ? first.results : first.results + more.flatMap(\.results)
        let (settlement, isOnly, settings, reportID) = state.withLock { state in
            let settlement = Settlement(
                of: envelope, results: results, now: now, schedule: state.settings.retry,
                failures: more.reduce(work.failures) { max($0, $1.work.failures) },
                notAfter: failedWithRoute ? state.routeRestEnd(of: work.slot) : nil,
                mayReport: mayReport, isFinalDelivery: isFinalDelivery, random: &state.random)
            let isOnly =
                more.isEmpty
                ? state.scheduler.isOnly(work.slot)
                : state.scheduler.slots(of: work.id).count == more.count + 1
            return (settlement, isOnly, state.settings, state.newID(now: now))
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
        if more.isEmpty {
            record.lines = first.place.lines(envelope, results, settlement.progress, now: now)
        } else {
            divide(settlement, of: envelope, among: [first] + more, now: now, into: &record)
        }
        if !settlement.reported.isEmpty, let sender = envelope.reversePath.mailbox {
            let report = report(
                to: sender, about: envelope, settlement.reported, fresh: work.fresh, id: reportID, now: now,
                settings)
            record.changes.append(.accept(report))
            record.lines.append(
                first.place.reportEvent(report, about: envelope, settlement.reported, now: now).encoded())
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
            record.withoutReport = mayReport ? PlainRecord(envelope: envelope, first: first, more: more) : nil
        }
        return record
    }

    /// What each of several entries has of a settlement: its lines, and when it goes on.
    private func divide(
        _ settlement: Settlement, of envelope: Envelope, among parts: [Record.Part], now: Timestamp,
        into record: inout Record
    ) {
        var rest = settlement.progress[...]
        for (number, part) in parts.enumerated() {
            let progress = Array(rest.prefix(part.results.count))
            rest = rest.dropFirst(part.results.count)
            record.lines += part.place.lines(envelope, part.results, progress, now: now)
            let waits = progress.contains { $0.progress.state == .waiting }
            let next = waits ? settlement.nextAttempt : nil
            if number == 0 {
                record.nextAttempt = next
            } else {
                record.companions.append(
                    Record.Companion(
                        slot: part.work.slot, nextAttempt: next, failures: part.work.failures + 1))
            }
        }
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
            plain.envelope, plain.first, more: plain.more, worker: record.worker, mayReport: false)
        again.done = record.done
        commit(again)
    }

    /// The outcome is on the disk: the schedule follows.
    private func recorded(_ record: Record, isDurable: Bool = true) {
        let now = seams.clock.now
        let isLast = change { state, effects in
            if record.tellsOfDelay { state.scheduler.noticeGiven(record.slot) }
            var isLast = state.end(record.slot, until: record.nextAttempt, failures: record.failures)
            for other in record.companions {
                isLast = state.end(other.slot, until: other.nextAttempt, failures: other.failures) || isLast
            }
            if isLast { state.fingerprints.remove(record.fingerprints, of: record.id) }
            if !state.gathered.isEmpty { state.siblingEnded(of: record.id, &effects) }
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
    /// Whether nobody of an attempt is tried again, nobody was served, and the sender is to be told.
    fileprivate func isReportedFailure(
        _ results: [RecipientResult], of envelope: Envelope, now: Timestamp
    ) -> Bool {
        guard envelope.reversePath != .null else { return false }
        let isExpired = now >= settings.retry.deadline(of: envelope)
        return results.allSatisfy { $0.kind == .bounced || ($0.kind == .deferred && isExpired) }
            && results.contains { envelope.recipients[$0.index].wants(.failure) }
    }

    /// An entry's outcome is recorded: it waits, or it is done. True: it was the last of its message.
    fileprivate mutating func end(_ slot: Slot, until next: Timestamp?, failures: Int) -> Bool {
        guard let next else { return scheduler.finish(slot) }
        scheduler.putOff(slot, until: next, failures: failures)
        return false
    }

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
