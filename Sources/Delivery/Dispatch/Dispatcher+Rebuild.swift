import MailValues
package import QueueEngine
import Synchronization

extension Dispatcher {
    /// Envelopes that are scheduled in one step.
    private static let rebuildBatch = 512

    /// What a start found in the store.
    package struct RebuildReport: Sendable, Equatable {
        package var messages = 0
        /// Of those, the ones that were offered to another node: they are not attempted here.
        package var offered = 0
        /// Messages whose last recipient was done, and only their removal was missing.
        package var leftovers = 0
    }

    /// Schedules what the store holds. New mail may arrive, and mail may leave, meanwhile; nothing is
    /// scheduled twice.
    ///
    /// It blocks for as long as the store takes to read: call it on a thread of its own, once.
    package func rebuild() throws(StoreError) -> RebuildReport {
        var report = RebuildReport()
        var batch: [Envelope] = []
        batch.reserveCapacity(Self.rebuildBatch)
        state.withLock { $0.scheduler.beginRebuild() }
        defer { state.withLock { $0.scheduler.endRebuild() } }
        try seams.store.scan { envelope in
            report.messages += 1
            if envelope.offered != nil { report.offered += 1 }
            if envelope.recipients.contains(where: { $0.progress.state == .waiting }) {
                batch.append(envelope)
            } else {
                report.leftovers += 1
                removeLeftover(envelope)
            }
            if batch.count == Self.rebuildBatch { schedule(&batch) }
            return !state.withLock { $0.isStopping }
        }
        schedule(&batch)
        state.withLock { $0.isRebuilt = !$0.isStopping }
        return report
    }

    private func schedule(_ batch: inout [Envelope]) {
        let now = seams.clock.now
        change { state, _ in
            for envelope in batch {
                var ready: [DomainIndex] = []
                state.admit(envelope, content: nil, now: now, ready: &ready)
                // The next tick wakes them: a start has no hurry that is worth a long step.
                for domain in ready where !state.domains[Int(domain.rawValue)].isQueued {
                    state.awaken(domain)
                }
            }
        }
        batch.removeAll(keepingCapacity: true)
    }

    private func removeLeftover(_ envelope: Envelope) {
        guard !state.withLock({ $0.scheduler.knows(envelope.id) }) else { return }
        seams.store.commit(
            [
                .remove(
                    envelope.id, chunkCount: envelope.chunkCount, recipientCount: envelope.recipients.count)
            ], lane: lane
        ) { _ in }
    }
}
