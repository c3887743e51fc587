import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import Telemetry

extension Dispatcher {
    /// Messages whose changes go in one commit.
    private static let operationBatch = 256

    /// Does to all messages of a selection that fit what the order says. Reads the store on the caller's
    /// thread.
    package func carryOut(
        _ order: OperationOrder, on selection: QueueSelection, where fits: (QueueItem) -> Bool = { _ in true }
    ) async throws(OperationError) -> OperationReport {
        guard !state.withLock({ $0.scheduler.isRebuilding }) else { throw .notYetRead }
        var report = OperationReport()
        var meant: [Envelope] = []
        do throws(StoreError) {
            try look(at: selection) { item in
                guard fits(item) else { return true }
                report.matched += 1
                if !order.applies(to: item) {
                    report.inapplicable += 1
                } else if order.isDryRun {
                    report.count(item.envelope.id)
                } else {
                    meant.append(item.envelope)
                }
                return true
            }
        } catch {
            throw .store(error)
        }
        while !meant.isEmpty {
            let batch = Array(meant.suffix(Self.operationBatch))
            meant.removeLast(batch.count)
            try await carryOut(order, on: batch, &report)
        }
        return report
    }

    private func carryOut(
        _ order: OperationOrder, on batch: [Envelope], _ report: inout OperationReport
    ) async throws(OperationError) {
        switch order.operation {
        case .hold: try await hold(batch, order, &report)
        case .release: try await release(batch, order, &report)
        case .retry: try await retry(batch, order, &report)
        case .bounce: try await bounce(batch, order, &report)
        case .delete: try await delete(batch, order, &report)
        }
    }

    private func hold(
        _ batch: [Envelope], _ order: OperationOrder, _ report: inout OperationReport
    ) async throws(OperationError) {
        let now = seams.clock.now
        // First in memory: what is held must not set out while the disk is written, and cannot be removed
        // meanwhile.
        let held = state.withLock { state in
            batch.filter { state.mayAmend($0.id) && state.hold($0.id) }.amended(in: &state)
        }
        defer { state.withLock { state in for envelope in held { state.amending.remove(envelope.id) } } }
        report.busy += batch.count - held.count
        try await record(held, order, .hold, now: now) { envelope in
            var held = envelope
            held.hold = Envelope.Hold(by: order.by, reason: order.reason, since: now)
            // It is in the schedule, so it bears no mark now, whatever was read before.
            held.offered = nil
            return .amend(held)
        }
        for envelope in held { report.count(envelope.id) }
    }

    private func release(
        _ batch: [Envelope], _ order: OperationOrder, _ report: inout OperationReport
    ) async throws(OperationError) {
        let now = seams.clock.now
        let held = state.withLock { state in
            batch.filter { state.mayAmend($0.id) && state.isHeld($0.id) }.amended(in: &state)
        }
        defer { state.withLock { state in for envelope in held { state.amending.remove(envelope.id) } } }
        report.busy += batch.count - held.count
        try await record(held, order, .release, now: now) { envelope in
            var released = envelope
            let overruled = order.overruled(in: envelope)
            released.fingerprints.removeAll { overruled.contains($0) }
            released.hold = nil
            released.offered = nil
            return .amend(released)
        }
        change { state, effects in
            for envelope in held {
                state.fingerprints.remove(Array(order.overruled(in: envelope)), of: envelope.id)
                var ready: [DomainIndex] = []
                state.scheduler.release(envelope.id) { ready.append($0) }
                for domain in ready { state.wake(domain, now: now, &effects) }
            }
        }
        for envelope in held { report.count(envelope.id) }
    }

    private func retry(
        _ batch: [Envelope], _ order: OperationOrder, _ report: inout OperationReport
    ) async throws(OperationError) {
        let now = seams.clock.now
        try await record(batch, order, .amendment, now: now) { _ in nil }
        change { state, effects in
            for envelope in batch {
                var ready: [DomainIndex] = []
                state.scheduler.retry(envelope.id) { ready.append($0) }
                for domain in ready {
                    state.endRest(of: domain, now: now)
                    state.wake(domain, now: now, &effects)
                }
            }
        }
        for envelope in batch { report.count(envelope.id) }
    }

    private func bounce(
        _ batch: [Envelope], _ order: OperationOrder, _ report: inout OperationReport
    ) async throws(OperationError) {
        // The operator's reason is for us; the sender hears that a person decided.
        let reply = Reply(554, EnhancedStatus(5, 7, 0), "Returned by the postmaster")
        for envelope in batch {
            guard let works = seize(envelope.id) else {
                report.busy += 1
                continue
            }
            let now = seams.clock.now
            do throws(OperationError) {
                try await record([envelope], order, .amendment, now: now) { _ in nil }
            } catch {
                change { state, effects in
                    for work in works { state.putBack(work, now: now, &effects) }
                }
                throw error
            }
            if let (envelope, works) = load(jointly: works) {
                let parts = works.map { work in
                    Record.Part(
                        work: work,
                        results: envelope.waitingIndices(for: work.domain).map {
                            RecipientResult(index: $0, kind: .bounced, reply: reply, isOurWord: true)
                        }, place: AttemptPlace())
                }
                await settle(makeRecord(envelope, parts[0], more: Array(parts.dropFirst()), worker: nil))
            }
            report.count(envelope.id)
        }
    }

    private func delete(
        _ batch: [Envelope], _ order: OperationOrder, _ report: inout OperationReport
    ) async throws(OperationError) {
        let now = seams.clock.now
        var seized: [(envelope: Envelope, works: [Work])] = []
        for envelope in batch {
            if let works = seize(envelope.id) { seized.append((envelope, works)) } else { report.busy += 1 }
        }
        do throws(OperationError) {
            try await record(seized.map(\.envelope), order, .deletion, now: now) {
                .remove($0.id, chunkCount: $0.chunkCount, recipientCount: $0.recipients.count)
            }
        } catch {
            change { state, effects in
                for work in seized.flatMap(\.works) { state.putBack(work, now: now, &effects) }
            }
            throw error
        }
        state.withLock { state in
            for work in seized.flatMap(\.works) {
                state.scheduler.finish(work.slot)
                state.counters.deleted += 1
            }
        }
        state.withLock { state in
            for (envelope, _) in seized { state.fingerprints.remove(envelope.fingerprints, of: envelope.id) }
        }
        for (envelope, _) in seized { report.count(envelope.id) }
    }

    /// The entries of a message, out of everybody's hands; nil: an attempt is in hand.
    private func seize(_ id: QueueID) -> [Work]? {
        state.withLock { state in
            guard let slots = state.scheduler.seize(id) else { return nil }
            return slots.map { state.work($0, takingFresh: true) }
        }
    }

    // MARK: Recording

    /// One commit for all: the change of each, if there is one, and a line in its history.
    private func record(
        _ envelopes: [Envelope], _ order: OperationOrder, _ kind: EventKind, now: Timestamp,
        _ change: (Envelope) -> QueueChange?
    ) async throws(OperationError) {
        guard !envelopes.isEmpty else { return }
        var changes: [QueueChange] = []
        var lines: [[UInt8]] = []
        for envelope in envelopes {
            let line = order.event(kind, envelope, now: now).encoded()
            if let change = change(envelope) { changes.append(change) }
            changes.append(.ledger(LedgerLine(id: envelope.id, at: now, line: line)))
            lines.append(line)
        }
        let result = await withCheckedContinuation { continuation in
            seams.store.commit(changes, lane: lane) { continuation.resume(returning: $0) }
        }
        if case .failure(let error) = result { throw .store(error) }
        for line in lines { seams.events.write(line) }
    }
}

extension OperationOrder {
    /// Whether there is anything to do.
    fileprivate func applies(to item: QueueItem) -> Bool {
        switch operation {
        case .hold: item.envelope.hold == nil
        case .release: item.envelope.hold != nil
        case .retry: item.envelope.hold == nil
        case .bounce, .delete: true
        }
    }

    /// Fingerprints by which no verdict finds the message any more. † An operator who lets a message go that a verdict holds has
    /// looked at it: the same verdict is looked up again a second later and after each start, and would hold it anew.
    fileprivate func overruled(in envelope: Envelope) -> Set<Fingerprint> {
        guard operation == .release, let overruled,
            let by = envelope.hold?.by, by.hasPrefix(Dispatcher.verdictHold)
        else { return [] }
        let held = Fingerprint(String(by.dropFirst(Dispatcher.verdictHold.count)))
        return overruled.union(held.map { [$0] } ?? []).intersection(envelope.fingerprints)
    }

    fileprivate func event(_ kind: EventKind, _ envelope: Envelope, now: Timestamp) -> Event {
        var event = Event(kind, at: now, message: envelope.id)
        event.add("by", .text(by.printable(limit: 100)))
        event.add("reason", .text(String(reason.prefix(500))))
        event.add("operation", .text(operation.rawValue))
        return event
    }
}

extension [Envelope] {
    /// Notes that these are being rewritten, from what was read before: a change by another hand would be lost.
    fileprivate func amended(in state: inout DispatchState) -> [Envelope] {
        for envelope in self { state.amending.insert(envelope.id) }
        return self
    }
}

extension DispatchState {
    /// Whether no other order is rewriting its envelope.
    fileprivate func mayAmend(_ id: QueueID) -> Bool { !amending.contains(id) }

    /// Holds what is not in flight. False: all of it is, and nothing was done.
    ///
    /// An entry that is held keeps its message in the store, so that the hold may be written there: written
    /// behind the removal, it would leave an envelope without content.
    fileprivate mutating func hold(_ id: QueueID) -> Bool {
        let slots = scheduler.slots(of: id)
        guard slots.contains(where: { scheduler.view($0).place != .inFlight }) else { return false }
        for slot in slots { _ = fresh.take(slot) }
        scheduler.hold(id)
        return true
    }

    fileprivate func isHeld(_ id: QueueID) -> Bool {
        scheduler.slots(of: id).contains { scheduler.view($0).place == .held }
    }

    /// A domain and its site are looked at again, whatever they did before.
    fileprivate mutating func endRest(of domain: DomainIndex, now: Timestamp) {
        switch domains[Int(domain.rawValue)].kind {
        case .site(let site, _): sites[site].concurrency.endRest(now: now)
        case .never, .resting: domains[Int(domain.rawValue)].kind = .unknown
        case .unknown: break
        }
    }
}
