package import AdminProtocol
import AdminServer
import Delivery
import Glibc
import Intake
import DNSResolution
import EventRecording
import MailValues
import QueueEngine
import QueueStorage
import RoutingPolicy
import SMTPProtocol
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode: AdminBackend, HealthSource {
    /// The admin socket and the metrics page, until cancelled.
    func serveAdmin() async throws {
        let admin = inForce.withLock { $0.plan.configuration.admin }
        var settings = AdminServer.Settings()
        settings.path = admin.socket
        // A node that runs for one person, without the group, leaves its socket to that person.
        settings.group = getgrnam(admin.group) == nil ? nil : admin.group
        let server = AdminServer(settings, backend: self)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            if let endpoint = admin.metrics {
                let page = MetricsServer(
                    MetricsServer.Settings(host: endpoint.address.description, port: Int(endpoint.port)), source: self)
                tasks.addTask { try await page.run() }
            }
            try await tasks.waitForAll()
        }
    }

    package func version() async -> VersionAnswer {
        VersionAnswer(version: NodeVersion.text, hostname: hostname)
    }

    private var hostname: String { inForce.withLock { $0.plan.configuration.hostname.name } }

    // MARK: Status

    package func status() async throws(AdminProblem) -> NodeStatus {
        let delivery = dispatcher.status
        let statistics = store.statistics
        let inForce = inForce.withLock { $0 }
        var status = NodeStatus(
            hostname: hostname, version: NodeVersion.text, pid: getpid(), startedAt: Moment(startedAt),
            now: Moment(WallClock.now()))
        status.isDraining = inForce.isDraining
        status.configurationPath = path
        status.configurationLoadedAt = Moment(inForce.loadedAt)
        status.listeners = inForce.openListeners.map {
            NodeStatus.Listener(name: $0.name, address: "port \($0.port)", sessions: server.sessionCount)
        }
        status.intake.accepted = Int(metrics.messagesAccepted.value)
        status.intake.refused = NodeMetrics.RefusalStage.allCases.reduce(0) { $0 + Int(metrics.refusals[$1].value) }
        status.intake.refusedTemporarily = NodeMetrics.RefusalStage.allCases.reduce(0) {
            $0 + Int(metrics.temporaryRefusals[$1].value)
        }
        status.intake.sessions = server.sessionCount
        status.intake.stopped = store.intakeRefusal.map { "\($0)" }
        status.queue.messages = delivery.messages
        status.queue.held = delivery.held
        status.queue.deferred = delivery.waiting
        status.queue.active = delivery.inFlight
        status.queue.isLoaded = isLoaded.load(ordering: .acquiring)
        status.delivery.delivered = delivery.counters.delivered
        status.delivery.deferred = delivery.counters.deferred
        status.delivery.bounced = delivery.counters.bounced
        status.delivery.expired = delivery.counters.expired
        status.delivery.connections = delivery.connections
        status.delivery.possibleDuplicates = delivery.counters.possibleDuplicates
        status.delivery.stopped = store.deliveryRefusal.map { "\($0)" }
        status.store.format = Int(statistics.format)
        status.store.freeOctets = statistics.freeOctets
        status.store.usedOctets = statistics.tableOctets + statistics.blobOctets
        status.store.sick = statistics.sickness
        if let eventFile {
            status.events.written = Int(eventFile.counts.written)
            status.events.dropped = Int(eventFile.counts.dropped)
        }
        status.problems = problems(status)
        return status
    }

    private func problems(_ status: NodeStatus) -> [NodeStatus.Problem] {
        var problems: [NodeStatus.Problem] = []
        if let sick = status.store.sick {
            problems.append(.init(.critical, "the store is sick: \(sick)", advice: "see ops/runbooks/store-sick.md"))
        }
        switch store.intakeRefusal {
        case .full?:
            problems.append(
                .init(.critical, "no room: new mail is answered 452", advice: "free space in the data directory"))
        case .sick?, .damaged?, nil:
            break
        }
        if !status.queue.isLoaded { problems.append(.init(.degraded, "the queue is still being read")) }
        if let hold = store.heldSince {
            problems.append(
                .init(
                    .degraded, "everything that was queued is held: \(hold.reason)",
                    advice: "look at it, then `chappe queue release --all --reason …`"))
        }
        if status.isDraining { problems.append(.init(.degraded, "draining: no new sessions", advice: "`chappe undrain`")) }
        if status.events.dropped > 0 {
            problems.append(
                .init(.degraded, "\(status.events.dropped) events dropped", advice: "is the disk of the event file slow?"))
        }
        for warning in resolver.warnings { problems.append(.init(.degraded, warning)) }
        return problems
    }

    // MARK: Health

    package func isLive() async -> Bool { true }

    package func unreadiness() async -> String? {
        if inForce.withLock({ $0.isDraining || $0.openListeners.isEmpty }) { return "draining" }
        return store.intakeRefusal.map { "\($0)" }
    }

    package func metrics() async -> String {
        carryCounters()
        return metrics.registry.page()
    }

    /// Delivery counts in its own terms, under its own lock; the page takes what is new.
    private func carryCounters() {
        let status = dispatcher.status
        let now = status.counters
        let before = reported.withLock { reported in
            defer { reported = now }
            return reported
        }
        metrics.attempts[.delivered].increment(by: now.delivered - before.delivered)
        metrics.attempts[.deferred].increment(by: now.deferred - before.deferred)
        metrics.attempts[.bounced].increment(by: now.bounced - before.bounced)
        metrics.attempts[.expired].increment(by: now.expired - before.expired)
        metrics.dialFailures.increment(by: now.connectionsFailed - before.connectionsFailed)
        metrics.possibleDuplicates.increment(by: now.possibleDuplicates - before.possibleDuplicates)
        metrics.clientHandshakes[.fallback].increment(by: now.clearFallbacks - before.clearFallbacks)
        metrics.doubleBounces.increment(by: now.doubleBounces - before.doubleBounces)
        metrics.deliveryConnections.set(status.connections)
        metrics.intakeOctetsInFlight.set(intake.budget.inUse)
    }

    // MARK: Configuration

    package func checkConfiguration() async throws(AdminProblem) -> ConfigurationReport { examine().1 }

    package func reloadConfiguration(by caller: Caller) async throws(AdminProblem) -> ConfigurationReport {
        reload(by: caller.recordName)
    }

    // MARK: Drain

    package func drain(_ isOn: Bool, reason: String, by caller: Caller) async throws(AdminProblem) -> DrainAnswer {
        guard isOn else {
            throw AdminProblem(
                .refused, "a node that was drained takes mail again after a restart",
                advice: "systemctl restart chappe")
        }
        inForce.withLock { $0.isDraining = true }
        var event = Event(.admin, at: WallClock.now())
        event.add("action", "drain")
        event.add("by", caller.recordName)
        event.add("reason", reason)
        events.write(event.encoded())
        await closeListeners()
        let grace = inForce.withLock { $0.plan.configuration.shutdownGrace }
        Task { await server.drain(grace: grace) }
        let delivery = dispatcher.status
        return DrainAnswer(
            isDraining: true, sessions: server.sessionCount, activeDeliveries: delivery.inFlight,
            queuedMessages: delivery.messages)
    }

    package func selftestFacts() async throws(AdminProblem) -> SelftestFacts {
        let inForce = inForce.withLock { $0 }
        let configuration = inForce.plan.configuration
        let listeners = configuration.listeners.flatMap { listener in
            listener.endpoints.map { endpoint in
                SelftestFacts.Listener(
                    name: listener.name, host: endpoint.address.description, port: Int(endpoint.port),
                    implicitTLS: listener.tls == .implicit)
            }
        }
        return SelftestFacts(
            hostname: hostname, listeners: listeners, relayDomains: configuration.relay.relayDomains.map(\.pattern),
            sharedNetworks: configuration.relay.sharedNetworks.map {
                SelftestFacts.SharedNetwork(
                    network: $0.networks.all.map(\.description).sorted().joined(separator: ", "), senderDomains: $0.senderDomains.map(\.name),
                    fromDomains: $0.authorDomains.map(\.name), header: $0.headerName, value: $0.headerValue)
            })
    }
}
