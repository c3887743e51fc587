import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import Telemetry

extension Dispatcher {
    /// One entry over one connection, and over further hosts where the first will not have it now.
    func deliver(_ work: Work, _ session: inout SiteSession) async {
        guard let envelope = load(work, worker: session.worker) else { return }
        var pending = envelope.waitingIndices(for: work.domain)
        var results: [RecipientResult] = []
        var hostCount = 0
        let content: any ContentSource =
            work.fresh.map { FreshContent($0.content) } ?? StoredContent(envelope, in: seams.store)
        while !pending.isEmpty, let connection = session.connection {
            let reading = await transact(envelope, &pending, &results, connection, content, work, &session)
            guard let reading else { break }
            switch reading.next {
            case .settled: break
            case .newConnection where results.isEmpty:
                leave(&session)
                let now = seams.clock.now
                change { state, effects in state.putBack(work, now: now, &effects) }
                return
            case .newConnection:
                session.position = 0
                if await !reopen(&session, for: &pending, &results, nil) { break }
            case .nextHost(let failure):
                if await !reopen(&session, for: &pending, &results, failure) { break }
            case .otherHost(let failure):
                hostCount += 1
                await goElsewhere(&session, for: &pending, &results, failure, hostCount: hostCount)
            }
        }
        session.messageCount += 1
        record(work, envelope, results, session)
    }

    /// One transaction for as many of `pending` as fit. Nil: nothing was left that can be sent.
    private func transact(
        _ envelope: Envelope, _ pending: inout [Int], _ results: inout [RecipientResult],
        _ connection: any ClientConnection, _ content: any ContentSource, _ work: Work,
        _ session: inout SiteSession
    ) async -> OutcomeReading? {
        let peer = connection.capabilities
        let (eightBit, limit) = state.withLock {
            ($0.settings.eightBitRule(for: work.domain), $0.settings.limits.recipientsPerTransaction)
        }
        var failure: StoreError?
        let preflight = Preflight(envelope, indices: pending, peer: peer, eightBit: eightBit) {
            do throws(StoreError) { return try hasASCIIHeader(envelope, work.fresh) } catch {
                failure = error
                return true
            }
        }
        if let failure {
            results += unreadable(envelope, "content", failure, indices: pending)
            pending.removeAll()
            return nil
        }
        results += preflight.refused
        pending = preflight.indices
        guard !pending.isEmpty else { return nil }
        let batch = Array(pending.prefix(max(1, min(limit, peer.recipientMaximum ?? limit))))
        pending.removeFirst(batch.count)
        let transaction = envelope.transaction(for: batch, preflight, peer: peer)
        content.rewind()
        let outcome = await connection.send(transaction, content: content)
        if let failure = (content as? StoredContent)?.failure {
            results += unreadable(envelope, "content", failure, indices: batch + pending)
            pending.removeAll()
            if !outcome.connectionUsable { leave(&session) }
            return nil
        }
        let reading = OutcomeReading(
            outcome, indices: batch, host: session.hostText, isReused: session.messageCount > 0,
            hasCredentials: session.destination.credentials != nil, peerReports: peer.dsn)
        results += reading.results
        pending = reading.unsettled + reading.again + pending
        state.withLock {
            $0.counters.transactions += 1
            $0.counters.possibleDuplicates += reading.possibleDuplicates
        }
        if !outcome.connectionUsable {
            leave(&session)
            if reading.next == .settled && !pending.isEmpty {
                // What was not asked yet goes on over a new connection.
                session.position = 0
                _ = await reopen(&session, for: &pending, &results, nil)
            }
        }
        return reading
    }

    /// As `reopen`, from a host that is as good as ever for other mail: where no other may be asked, its
    /// connection stays.
    private func goElsewhere(
        _ session: inout SiteSession, for pending: inout [Int], _ results: inout [RecipientResult],
        _ cause: HostFailure, hostCount: Int
    ) async {
        let limit = state.withLock { $0.settings.hostsPerAttempt }
        if hostCount < limit, session.position < session.plan.targets.count {
            if let connection = session.connection, connection.isUsable { await connection.quit() }
            leave(&session)
            if await open(&session) == nil {
                keepConnection(of: session)
                return
            }
        }
        for index in pending { results.append(RecipientResult(index: index, kind: .deferred, cause)) }
        pending = []
    }

    private func keepConnection(of session: SiteSession) {
        guard let connection = session.connection else { return }
        let worker = session.worker
        state.withLock { $0.workers[worker].connection = connection }
    }

    /// A connection to the next host of the plan. False: there is none, and `pending` is deferred.
    private func reopen(
        _ session: inout SiteSession, for pending: inout [Int], _ results: inout [RecipientResult],
        _ cause: HostFailure?
    ) async -> Bool {
        leave(&session)
        guard let failure = await open(&session) else {
            keepConnection(of: session)
            return true
        }
        let last = cause ?? failure.failure
        for index in pending { results.append(RecipientResult(index: index, kind: .deferred, last)) }
        pending = []
        if results.allSatisfy({ $0.kind == .deferred }) {
            let now = seams.clock.now
            state.withLock { state in
                state.turnedAway(state.workers[session.worker].site, last, now: now)
            }
        }
        return false
    }

    private func leave(_ session: inout SiteSession) {
        session.connection?.abort()
        session.connection = nil
    }

    // MARK: The message

    /// The envelope: from memory, else from the store; nil: there is nothing to do, and that is recorded.
    func load(_ work: Work, worker: Int?) -> Envelope? {
        if let fresh = work.fresh { return fresh.envelope }
        do throws(StoreError) {
            if let envelope = try seams.store.envelope(work.id),
                !envelope.waitingIndices(for: work.domain).isEmpty
            {
                return envelope
            }
            change { state, _ in _ = state.scheduler.finish(work.slot) }
        } catch {
            // It stays; damaged, it is not tried again before somebody has looked after the store.
            let now = seams.clock.now
            complain(of: work.id, "envelope", error, now: now)
            change { state, _ in
                if error.isDamage { state.scheduler.hold(work.id) }
                state.scheduler.putOff(
                    work.slot, until: now + state.settings.retry.retryDelayLongest, failures: work.failures)
            }
        }
        return nil
    }

    /// As `load`, for entries of one message; those that have nothing left to do are out.
    func load(jointly works: [Work]) -> (envelope: Envelope, works: [Work])? {
        if works.count == 1 { return load(works[0], worker: nil).map { ($0, works) } }
        var envelope: Envelope?
        var loaded: [Work] = []
        for var work in works {
            // In memory the message is as it was accepted; the store knows what came of its other entries.
            work.fresh = nil
            guard let found = load(work, worker: nil) else { continue }
            envelope = found
            loaded.append(work)
        }
        return envelope.map { ($0, loaded) }
    }

    /// Our own fault, and neither a host's nor a recipient's: the message stays, and the host stays in
    /// favour.
    private func unreadable(
        _ envelope: Envelope, _ part: String, _ error: StoreError, indices: [Int]
    ) -> [RecipientResult] {
        complain(of: envelope.id, part, error, now: seams.clock.now)
        if case .damaged(let detail) = error { withhold(envelope, "its \(part) cannot be read: \(detail)") }
        let reply = Reply(451, EnhancedStatus(4, 3, 0), "The \(part) of the message cannot be read here")
        return indices.map { RecipientResult(index: $0, kind: .withheld, reply: reply) }
    }

    /// Holds a message that is damaged on our disk: no attempt mends it, and a person must hear of it.
    private func withhold(_ envelope: Envelope, _ reason: String) {
        let now = seams.clock.now
        // In memory first. The entry that met the damage is in flight and will be put off, so the message
        // cannot be removed before the hold is written.
        state.withLock { $0.scheduler.hold(envelope.id) }
        guard var held = (try? seams.store.envelope(envelope.id)) ?? nil, held.hold == nil else { return }
        held.hold = Envelope.Hold(by: "store", reason: String(reason.printable(limit: 500)), since: now)
        var event = Event(.hold, at: now, message: envelope.id)
        event.add("by", "store")
        event.add("reason", .text(held.hold!.reason))
        let line = event.encoded()
        let changes: [QueueChange] = [
            .amend(held), .ledger(LedgerLine(id: envelope.id, at: now, line: line)),
        ]
        // Refused, it is held until the next start, and again at the first attempt after that.
        seams.store.commit(changes, lane: lane) { [events = seams.events] result in
            if case .success = result { events.write(line) }
        }
    }

    private func complain(of id: QueueID, _ part: String, _ error: StoreError, now: Timestamp) {
        var event = Event(.store, at: now, message: id)
        event.add("problem", .text("\(part) cannot be read: \(error)"))
        seams.events.write(event.encoded())
        state.withLock { $0.counters.unreadable += 1 }
    }

    /// Whether the header section is free of octets above 127.
    private func hasASCIIHeader(_ envelope: Envelope, _ fresh: FreshMessage?) throws(StoreError) -> Bool {
        if let fresh { return fresh.content.hasASCIIHeader }
        guard let piece = try seams.store.contentPiece(envelope.id, number: 0) else {
            throw .damaged(detail: "piece 0 of \(envelope.id) is missing")
        }
        return [piece].hasASCIIHeader
    }
}

extension Envelope {
    /// The recipients of one domain that still wait, by place.
    func waitingIndices(for domain: Domain) -> [Int] {
        if recipients.count == 1 {
            return recipients[0].progress.state == .waiting && recipients[0].mailbox.domain == domain
                ? [0] : []
        }
        return recipients.indices.filter {
            recipients[$0].progress.state == .waiting && recipients[$0].mailbox.domain == domain
        }
    }

    fileprivate func transaction(
        for indices: [Int], _ preflight: Preflight, peer: PeerCapabilities
    ) -> OutboundTransaction {
        OutboundTransaction(
            reversePath: reversePath,
            recipients: indices.map { index in
                let recipient = recipients[index]
                return OutboundTransaction.Recipient(
                    mailbox: recipient.mailbox, notify: peer.dsn ? recipient.notify : nil,
                    originalRecipient: peer.dsn ? recipient.originalRecipient : nil)
            },
            sizeOctets: sizeOctets, body: preflight.body, smtpUTF8: preflight.smtpUTF8,
            dsnReturn: peer.dsn ? dsnReturn : nil, dsnEnvelopeID: peer.dsn ? dsnEnvelopeID : nil)
    }
}

extension [[UInt8]] {
    /// Whether all octets before the first empty line are ASCII.
    var hasASCIIHeader: Bool {
        var lineLength = 0
        for piece in self {
            for octet in piece {
                if octet >= 0x80 { return false }
                if octet == 0x0A {
                    if lineLength == 0 { return true }
                    lineLength = 0
                } else if octet != 0x0D {
                    lineLength += 1
                }
            }
        }
        return true
    }
}
