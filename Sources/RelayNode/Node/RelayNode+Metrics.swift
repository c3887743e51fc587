import DNSResolution
import Delivery
import EventRecording
import Intake
import MailValues
import QueueEngine
import QueueStorage
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode {
    package func metrics() async -> String {
        carryDelivery()
        carryStore()
        carryRest()
        return metrics.registry.page()
    }

    /// Parts that count in their own terms, under their own locks: the page takes what is new since the last
    /// look.
    struct Reported: Sendable {
        var delivery = DeliveryCounters()
        var store = StoreStatistics()
        var lookups: UInt64 = 0
        var lookupFailures: UInt64 = 0
        var eventsDropped: UInt64 = 0
    }

    private func carryDelivery() {
        let status = dispatcher.status
        let now = status.counters
        let before = reported.withLock { reported in
            defer { reported.delivery = now }
            return reported.delivery
        }
        metrics.attempts[.delivered].increment(by: now.delivered - before.delivered)
        metrics.attempts[.deferred].increment(by: now.deferred - before.deferred)
        metrics.attempts[.bounced].increment(by: now.bounced - before.bounced)
        metrics.attempts[.expired].increment(by: now.expired - before.expired)
        metrics.dialFailures.increment(by: now.connectionsFailed - before.connectionsFailed)
        metrics.possibleDuplicates.increment(by: now.possibleDuplicates - before.possibleDuplicates)
        metrics.clearFallbacks.increment(by: now.clearFallbacks - before.clearFallbacks)
        metrics.reportsSent.increment(by: now.reports - before.reports)
        metrics.doubleBounces.increment(by: now.doubleBounces - before.doubleBounces)
        metrics.deliveryConnections.set(status.connections)
        metrics.sitesResting.set(status.sitesResting)
        metrics.queuedMessages.set(status.messages)
        metrics.queueEntries[.ready].set(status.ready)
        metrics.queueEntries[.active].set(status.inFlight)
        metrics.queueEntries[.deferred].set(status.waiting)
        metrics.queueEntries[.held].set(status.held)
        let oldest = dispatcher.summary(domainLimit: 0).oldest
        metrics.queueOldest.set(oldest.map { Int((WallClock.now() - $0).components.seconds) } ?? 0)
    }

    private func carryStore() {
        let now = store.statistics
        let before = reported.withLock { reported in
            defer { reported.store = now }
            return reported.store
        }
        metrics.storeBatches.increment(by: now.batches - before.batches)
        metrics.storeFailures.increment(by: now.failedBatches - before.failedBatches)
        metrics.storeFree.set(now.freeOctets)
        metrics.storeDamages.set(now.damageCount)
        metrics.storeSick.set(now.sickness == nil ? 0 : 1)
        metrics.intakeStopped.set(store.intakeRefusal == nil ? 0 : 1)
        metrics.deliveryStopped.set(store.deliveryRefusal == nil ? 0 : 1)
    }

    private func carryRest() {
        let resolver = resolver.statistics
        let failures = resolver.failures + resolver.timeouts + resolver.bogus
        let dropped = UInt64(eventFile?.counts.dropped ?? 0)
        let before = reported.withLock { reported in
            defer {
                reported.lookups = resolver.lookups
                reported.lookupFailures = failures
                reported.eventsDropped = dropped
            }
            return reported
        }
        metrics.lookups.increment(by: Int(resolver.lookups - before.lookups))
        metrics.lookupFailures.increment(by: Int(failures - before.lookupFailures))
        metrics.eventsDropped.increment(by: Int(dropped - before.eventsDropped))
        metrics.intakeOctetsInFlight.set(intake.budget.inUse)
        metrics.draining.set(inForce.withLock { $0.isDraining } ? 1 : 0)
        metrics.certificateExpiry.set(firstExpiry.map { Int($0.milliseconds / 1000) } ?? 0)
    }

    /// When the first of the certificates in force ends.
    var firstExpiry: Timestamp? {
        certificates.values.flatMap { $0.current.certificates.map(\.notAfter) }.min()
    }
}
