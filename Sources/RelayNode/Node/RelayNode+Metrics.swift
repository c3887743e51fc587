import DNSResolution
import Delivery
import EventRecording
import GossipTransport
import Intake
import MailValues
import Membership
import QueueEngine
import QueueStorage
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode {
    package func metrics() async -> String {
        carryDelivery()
        carryStore()
        await carryCluster()
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
        var refusals = ClusterRefusals()
        var links = TransportStatistics()
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
        metrics.queuedMessages.set(queuedMessages)
        metrics.queueEntries[.ready].set(status.ready)
        metrics.queueEntries[.active].set(status.inFlight)
        metrics.queueEntries[.deferred].set(status.waiting)
        metrics.queueEntries[.held].set(status.held)
        let oldest = dispatcher.oldest
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
        metrics.intakeStopped.set(intakeObstacle == nil ? 0 : 1)
        metrics.deliveryStopped.set(store.deliveryRefusal == nil ? 0 : 1)
    }

    private func carryCluster() async {
        let progress = leaving.withLock { $0 }?.progress ?? LeavingProgress()
        let isGiving = progress.phase != .staying && progress.phase != .left
        metrics.leavingMessages.set(isGiving ? progress.messagesLeft : 0)
        metrics.takenOver.set(progress.takenOver)
        let now = await cluster.figures()
        let (refusals, links) = reported.withLock { reported in
            defer { (reported.refusals, reported.links) = (now.refusals, now.links) }
            return (reported.refusals, reported.links)
        }
        for standing in NodeMetrics.MemberStanding.allCases {
            metrics.clusterMembers[standing].set(now.members[MemberState(standing)] ?? 0)
        }
        metrics.clusterOrders.set(now.orderCount)
        metrics.clusterQuarantined.set(now.mayDeliver ? 0 : 1)
        metrics.clusterCloneSeen.set(now.isCloneSeen ? 1 : 0)
        for channel in NodeMetrics.LinkChannel.allCases {
            let (before, after) = (links[Channel(channel)], now.links[Channel(channel)])
            metrics.clusterOctetsSent[channel].grow(from: before.octetsSent, to: after.octetsSent)
            metrics.clusterOctetsReceived[channel].grow(
                from: before.octetsReceived, to: after.octetsReceived)
        }
        for cause in NodeMetrics.FrameDrop.allCases {
            metrics.clusterFramesDropped[cause].grow(
                from: links.dropped(for: cause) ?? refusals.overflow,
                to: now.links.dropped(for: cause) ?? now.refusals.overflow)
        }
        for cause in NodeMetrics.ClusterRefusal.allCases {
            metrics.clusterRefusals[cause].grow(
                from: refusals.count(of: cause, by: links), to: now.refusals.count(of: cause, by: now.links))
        }
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

extension Counter {
    /// Of what somebody else counts: less than before, he began anew.
    fileprivate func grow(from before: UInt64, to now: UInt64) {
        increment(by: Int(clamping: now >= before ? now - before : now))
    }
}

extension MemberState {
    fileprivate init(_ standing: NodeMetrics.MemberStanding) {
        self =
            switch standing {
            case .joining: .joining
            case .alive: .alive
            case .draining: .draining
            case .parked: .parked
            case .suspect: .suspect
            case .dead: .dead
            case .left: .left
            }
    }
}

extension Channel {
    fileprivate init(_ channel: NodeMetrics.LinkChannel) {
        self =
            switch channel {
            case .control: .control
            case .bulk: .bulk
            }
    }
}

extension TransportStatistics {
    /// Nil: it is the driver that drops those.
    fileprivate func dropped(for cause: NodeMetrics.FrameDrop) -> UInt64? {
        switch cause {
        case .mailboxFull: control.dropped.mailboxFull + bulk.dropped.mailboxFull
        case .notConnected: control.dropped.notConnected + bulk.dropped.notConnected
        case .peerFull: control.dropped.peerFull + bulk.dropped.peerFull
        case .tooLong: control.dropped.tooLong + bulk.dropped.tooLong
        case .stale: control.dropped.stale + bulk.dropped.stale
        case .overflow: nil
        }
    }
}

extension ClusterRefusals {
    fileprivate func count(of cause: NodeMetrics.ClusterRefusal, by links: TransportStatistics) -> UInt64 {
        switch cause {
        case .strangerKey: links.strangers + links.doorStrangers
        case .withdrawnKey: links.control.dropped.withdrawn + links.bulk.dropped.withdrawn
        case .malformed: malformed + links.control.dropped.malformed + links.bulk.dropped.malformed
        case .otherVersion: otherVersion
        case .otherCluster: otherCluster
        case .otherName: otherName
        case .stranger: stranger
        case .fact: facts
        case .order: orders
        case .admission: admissions
        case .token: tokens
        case .visitor: links.doorRefusals
        }
    }
}
