import Delivery
import Filtering
import Intake
import MailValues
import Membership
import QueueEngine
import Telemetry

/// Holds what waits in the queue and bears a verdict that came after it, and frees it when nobody condemns it any more.
///
/// It finds messages by the dispatcher's index and reads only these. An operator's own hold is left alone.
final class VerdictWatch: Sendable {
    private enum Call: Sendable {
        case changed([Fingerprint])
        case loaded
        case tick
    }

    /// A verdict is looked up once more after this time: a message may have been on its way into the queue, or out on
    /// an attempt that fails.
    static let againAfter = 2
    /// After a start, what was held by a verdict waits so long for somebody to say it again.
    static let reviewAfterStart: Duration = .seconds(600)

    private let knowledge: SharedKnowledge
    private let dispatcher: Dispatcher
    private let metrics: NodeMetrics
    /// What the listener through which a message came does about verdicts.
    private let rule: @Sendable (String) -> VerdictRule
    private let calls: (stream: AsyncStream<Call>, continuation: AsyncStream<Call>.Continuation)

    init(
        knowledge: SharedKnowledge, dispatcher: Dispatcher, metrics: NodeMetrics,
        rule: @escaping @Sendable (String) -> VerdictRule
    ) {
        self.knowledge = knowledge
        self.dispatcher = dispatcher
        self.metrics = metrics
        self.rule = rule
        calls = AsyncStream.makeStream()
        let door = calls.continuation
        knowledge.watchVerdicts { door.yield(.changed($0)) }
    }

    /// The queue of the last run is in the schedule now.
    func queueLoaded() { calls.continuation.yield(.loaded) }

    /// Works until `stop`.
    func run() async {
        let ticking = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                calls.continuation.yield(.tick)
            }
        }
        /// What is to be looked at again, and at the how-manieth tick from now.
        var again: [Fingerprint: Int] = [:]
        for await call in calls.stream {
            switch call {
            case .changed(let fingerprints):
                for fingerprint in fingerprints { await look(at: fingerprint, &again, isFirst: true) }
            case .loaded: await lookAround(&again)
            case .tick:
                knowledge.tick()
                for (fingerprint, ticks) in again {
                    again[fingerprint] = ticks - 1
                    guard ticks <= 1 else { continue }
                    again[fingerprint] = nil
                    await look(at: fingerprint, &again, isFirst: false)
                }
            }
        }
        ticking.cancel()
    }

    func stop() { calls.continuation.finish() }

    /// After a start: what is known already, and what was held before.
    private func lookAround(_ again: inout [Fingerprint: Int]) async {
        for verdict in knowledge.verdicts() where verdict.decision != .none || verdict.revoked != nil {
            await look(at: verdict.fingerprint, &again, isFirst: true)
        }
        knowledge.review(dispatcher.takeVerdictHolds(), after: Self.reviewAfterStart)
    }

    private func look(at fingerprint: Fingerprint, _ again: inout [Fingerprint: Int], isFirst: Bool) async {
        let opinion = knowledge.opinion(of: [fingerprint])
        let isAgainDue: Bool
        do {
            let isBusy =
                opinion.decision == .none
                ? try await free(fingerprint) : try await hold(fingerprint, opinion)
            isAgainDue = isBusy || isFirst
        } catch {
            isAgainDue = true  // the queue is still being read, or the store is sick
        }
        again[fingerprint] = isAgainDue ? Self.againAfter : nil
    }

    // MARK: Deeds

    /// Whether some could not be held yet.
    private func hold(
        _ fingerprint: Fingerprint, _ opinion: VerdictOpinion
    ) async throws(OperationError) -> Bool {
        let ids = dispatcher.bearers(of: fingerprint)
        guard !ids.isEmpty else { return false }
        let order = OperationOrder(
            .hold, by: "\(Dispatcher.verdictHold)\(fingerprint)", reason: opinion.reason)
        let report = try await carryOut(order, ids) { [rule] item in
            item.envelope.fingerprints.contains(fingerprint)
                && [.hold, .reject].contains(rule(item.envelope.origin.listener).deed(about: opinion))
        }
        metrics.verdictsHeld.increment(by: report.changed)
        return report.busy > 0
    }

    private func free(_ fingerprint: Fingerprint) async throws(OperationError) -> Bool {
        let ids = dispatcher.bearers(of: fingerprint)
        guard !ids.isEmpty else { return false }
        let reason =
            knowledge.verdict(fingerprint)?.revoked.map {
                "taken back by \($0.by), order \($0.number): \($0.reason)"
            }
            ?? "nobody condemns it any more"
        let order = OperationOrder(.release, by: "\(Dispatcher.verdictHold)\(fingerprint)", reason: reason)
        let report = try await carryOut(order, ids) { [knowledge] item in
            let envelope = item.envelope
            return envelope.fingerprints.contains(fingerprint)
                && envelope.hold?.by.hasPrefix(Dispatcher.verdictHold) == true
                // Another of its fingerprints may be condemned still.
                && knowledge.opinion(of: envelope.fingerprints).decision == .none
        }
        metrics.verdictsFreed.increment(by: report.changed)
        return report.busy > 0
    }

    private func carryOut(
        _ order: OperationOrder, _ ids: [QueueID], where fits: @escaping @Sendable (QueueItem) -> Bool
    ) async throws(OperationError) -> OperationReport {
        try await withTaskExecutorPreference(DiskExecutor.shared) { () async throws(OperationError) in
            try await dispatcher.carryOut(order, on: .ids(ids), where: fits)
        }
    }
}
