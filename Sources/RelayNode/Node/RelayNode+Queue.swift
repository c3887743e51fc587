package import AdminProtocol
import Delivery
import Filtering
package import MailValues
import QueueEngine
import QueueStorage
import Telemetry

extension RelayNode {
    package func queuePage(
        _ filter: QueueFilter, limit: Int, cursor: String?
    ) async throws(AdminProblem) -> QueuePage {
        let now = WallClock.now()
        // One more than asked for tells whether there is a next page.
        let isGone = await cluster.hasLeft
        let found = try await reading { () throws(StoreError) in
            try dispatcher.list(after: cursor.flatMap { QueueID($0) }, limit: limit + 1) {
                !Self.isOthers($0, isGone) && filter.matches(QueueEntry($0), now: now)
            }
        }
        let entries = found.prefix(limit).map { QueueEntry($0) }
        return QueuePage(entries: entries, next: found.count > limit ? entries.last?.id : nil)
    }

    package func queueSummary(
        _ filter: QueueFilter, by grouping: AdminProtocol.QueueSummary.Grouping, limit: Int
    ) async throws(AdminProblem) -> AdminProtocol.QueueSummary {
        let now = WallClock.now()
        let isGone = await cluster.hasLeft
        return try await reading { () throws(StoreError) in
            var builder = AdminProtocol.QueueSummary.Builder(by: grouping, now: now)
            try dispatcher.visit { item in
                guard !Self.isOthers(item, isGone) else { return }
                let entry = QueueEntry(item)
                if filter.matches(entry, now: now) { builder.add(entry) }
            }
            return builder.summary(limit: limit)
        }
    }

    package func queueEntry(_ id: QueueID) async throws(AdminProblem) -> QueueEntry? {
        let isGone = await cluster.hasLeft
        let item = try await reading { () throws(StoreError) in try dispatcher.item(id) }
        return item.flatMap { Self.isOthers($0, isGone) ? nil : QueueEntry($0) }
    }

    /// Who has left keeps the records of what it gave away until it joins again, and has no part in them any more.
    private static func isOthers(_ item: QueueItem, _ hasLeft: Bool) -> Bool {
        hasLeft && item.envelope.offered != nil
    }

    package func change(
        _ action: QueueAction, _ request: QueueChangeRequest, by caller: Caller
    ) async throws(AdminProblem) -> QueueChangeAnswer {
        let now = WallClock.now()
        // Whoever lets a message go has looked at it: what condemns it now does not hold it again.
        let condemned =
            action == .release ? knowledge.verdicts().filter { $0.decision != .none }.map(\.fingerprint) : []
        let order = OperationOrder(
            Self.operation(action), by: caller.recordName, reason: request.reason, isDryRun: request.dryRun,
            overruling: Set(condemned))
        // A whole id needs no walk through the queue.
        let selection: QueueSelection = request.filter.id.flatMap { QueueID($0) }.map { .ids([$0]) } ?? .all
        do throws(OperationError) {
            let report = try await withTaskExecutorPreference(DiskExecutor.shared) {
                () async throws(OperationError) in
                try await dispatcher.carryOut(order, on: selection) {
                    request.filter.matches(QueueEntry($0), now: now)
                }
            }
            if !request.dryRun { metrics.operatorActions.increment() }
            return QueueChangeAnswer(
                action: action, dryRun: request.dryRun, matched: report.matched, changed: report.changed,
                inapplicable: report.inapplicable, ids: report.ids.map(\.description))
        } catch {
            switch error {
            case .notYetRead:
                throw AdminProblem(
                    .unavailable, "the queue is still being read after the start", advice: "try again soon")
            case .store(let error): throw Self.problem(error)
            }
        }
    }

    private static func operation(_ action: QueueAction) -> QueueOperation {
        switch action {
        case .hold: .hold
        case .release: .release
        case .retry: .retry
        case .bounce: .bounce
        case .delete: .delete
        }
    }

    package func rawMessage(_ id: QueueID, for caller: Caller) async throws(AdminProblem) -> RawMessage? {
        let envelope = try await reading { () throws(StoreError) in try store.envelope(id) }
        guard let envelope else { return nil }
        var event = Event(.admin, at: WallClock.now(), message: id)
        event.add("action", "raw")
        event.add("by", caller.recordName)
        events.write(event.encoded())
        let count = max(1, Int(envelope.chunkCount))
        return RawMessage(sizeOctets: envelope.sizeOctets) { [store] number throws(AdminProblem) in
            guard number < count else { return nil }
            do throws(StoreError) { return try store.contentPiece(id, number: UInt32(number)) } catch {
                throw Self.problem(error)
            }
        }
    }

    package func ledger(_ id: QueueID) async throws(AdminProblem) -> [[UInt8]] {
        try await reading { () throws(StoreError) in try store.ledger(id) }.map(\.line)
    }

    /// On a thread that may wait for the disk.
    func reading<Value: Sendable>(
        _ body: @Sendable () throws(StoreError) -> Value
    ) async throws(AdminProblem) -> Value {
        do throws(StoreError) {
            return try await withTaskExecutorPreference(DiskExecutor.shared) { () async throws(StoreError) in
                try body()
            }
        } catch {
            throw Self.problem(error)
        }
    }

    static func problem(_ error: StoreError) -> AdminProblem {
        AdminProblem(.unavailable, error.words, advice: "`chappe status` says how it is")
    }
}

extension QueueEntry {
    init(_ item: QueueItem) {
        let envelope = item.envelope
        let state: State =
            switch item.state {
            case .waiting: .waiting
            case .inFlight: .active
            case .deferred: .deferred
            case .held: .held
            }
        self.init(
            id: envelope.id.description, state: state,
            acceptedAt: Moment(envelope.acceptedAt), sender: envelope.reversePath.description,
            sizeOctets: envelope.sizeOctets, listener: envelope.origin.listener,
            client: envelope.origin.client?.description, account: envelope.origin.account,
            priority: Int(envelope.priority),
            hold: envelope.hold.map { Hold(by: $0.by, reason: $0.reason, since: Moment($0.since)) },
            notBefore: envelope.notBefore.map(Moment.init), deadline: envelope.deadline.map(Moment.init),
            nextAttempt: item.nextAttempt.map(Moment.init),
            obstacle: item.obstacle?.reply.description, obstacleHost: item.obstacle?.host,
            offeredTo: envelope.offered.map { $0.node.hex },
            recipients: envelope.recipients.map(Recipient.init))
    }
}

extension QueueEntry.Recipient {
    init(_ recipient: QueueEngine.Recipient) {
        let progress = recipient.progress
        let state: State =
            switch progress.state {
            case .waiting: .waiting
            case .delivered: .delivered
            case .bounced: .bounced
            case .deleted: .deleted
            }
        self.init(
            address: recipient.mailbox.description, state: state, attempts: Int(progress.attempts),
            nextAttempt: progress.nextAttempt.map(Moment.init),
            lastAttempt: progress.lastAttempt.map(Moment.init),
            lastHost: progress.lastHost, lastReply: progress.lastReply?.description)
    }
}
