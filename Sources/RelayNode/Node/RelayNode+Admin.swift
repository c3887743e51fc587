package import AdminProtocol
import AdminServer
import DNSResolution
import Delivery
import EventRecording
import Glibc
import Intake
import MailValues
import QueueEngine
import QueueStorage
import RoutingPolicy
import SMTPProtocol
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode: AdminBackend, HealthSource {
    /// The admin socket and the metrics page, until cancelled or one of them fails; `opened` is called for each once
    /// somebody can come in.
    func serveAdmin(_ opened: @escaping @Sendable () -> Void) async throws {
        let admin = inForce.withLock { $0.plan.configuration.admin }
        var settings = AdminServer.Settings()
        settings.path = admin.socket
        // A node that runs for one person, without the usual group, leaves its socket to that person.
        settings.group = getgrnam(admin.group) == nil ? nil : admin.group
        let server = AdminServer(settings, backend: self, cluster: self, onRunning: opened)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            if let endpoint = admin.metrics {
                let page = MetricsServer(
                    MetricsServer.Settings(host: endpoint.address.description, port: Int(endpoint.port)),
                    source: self, onRunning: { _ in opened() })
                tasks.addTask { try await page.run() }
            }
            // Not `waitForAll`: it would keep the failure of one until the other has ended too.
            while try await tasks.next() != nil {}
        }
    }

    /// Opens the doors for operators and orchestrators; the task serves them until it is cancelled.
    ///
    /// Nobody could look at a node without them, so one that has none does not begin to take mail.
    func openDoors() async throws(NodeError) -> Task<Void, any Error> {
        let (openings, opened) = AsyncStream.makeStream(of: Void.self)
        let doors = Task {
            defer { opened.finish() }
            try await serveAdmin { opened.yield() }
        }
        var missing = inForce.withLock { $0.plan.configuration.admin.metrics == nil ? 1 : 2 }
        for await _ in openings {
            missing -= 1
            if missing == 0 { return doors }
        }
        switch await doors.result {
        case .success: throw NodeError("admin: the doors closed before they were open")
        case .failure(let error): throw .part("admin", error)
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
            NodeStatus.Listener(name: $0.configuration.name, address: "port \($0.listener.port)")
        }
        status.intake.accepted = Int(metrics.messagesAccepted.value)
        status.intake.refused = NodeMetrics.RefusalStage.allCases.reduce(0) {
            $0 + Int(metrics.refusals[$1].value)
        }
        status.intake.refusedTemporarily = NodeMetrics.RefusalStage.allCases.reduce(0) {
            $0 + Int(metrics.temporaryRefusals[$1].value)
        }
        status.intake.sessions = server.sessionCount
        status.intake.stopped = intakeObstacle
        status.queue.messages = delivery.messages + offeredMessages
        status.queue.held = delivery.held
        status.queue.offered = offeredMessages
        status.queue.deferred = delivery.waiting
        status.queue.active = delivery.inFlight
        status.queue.oldest = dispatcher.oldest.map(Moment.init)
        status.queue.octets = delivery.octets
        status.queue.isLoaded = isLoaded.load(ordering: .acquiring)
        status.delivery.delivered = delivery.counters.delivered
        status.delivery.deferred = delivery.counters.deferred
        status.delivery.bounced = delivery.counters.bounced
        status.delivery.expired = delivery.counters.expired
        status.delivery.connections = delivery.connections
        status.delivery.possibleDuplicates = delivery.counters.possibleDuplicates
        status.delivery.stopped = store.deliveryRefusal?.words
        status.store.format = Int(statistics.format)
        status.store.freeOctets = statistics.freeOctets
        status.store.reserveOctets = statistics.reserveOctets
        status.store.usedOctets = statistics.tableOctets + statistics.blobOctets
        status.store.sick = statistics.sickness
        if let eventFile {
            status.events.written = Int(eventFile.counts.written)
            status.events.dropped = Int(eventFile.counts.dropped)
        }
        status.cluster = await cluster.status()
        let leaving = await leavingProblem()
        status.problems = problems(status, isLeaving: leaving != nil) + (await cluster.problems())
        if let leaving { status.problems.append(leaving) }
        return status
    }

    private func problems(_ status: NodeStatus, isLeaving: Bool) -> [NodeStatus.Problem] {
        var problems: [NodeStatus.Problem] = []
        if let sick = status.store.sick {
            problems.append(
                .init(.critical, "the store is sick: \(sick)", advice: "see ops/runbooks/store-sick.md"))
        }
        switch store.intakeRefusal {
        case .full?:
            problems.append(
                .init(
                    .critical, "no room: new mail is answered 452",
                    advice: "free space in the data directory (ops/runbooks/disk-full.md)"))
        case .sick?, .damaged?, nil:
            break
        }
        if let stopped = status.delivery.stopped, status.store.sick == nil {
            problems.append(
                .init(
                    .critical, "no attempt is made, since none could be recorded: \(stopped)",
                    advice: "free space in the data directory (ops/runbooks/disk-full.md)"))
        }
        if let refusal = inForce.withLock({ $0.reloadRefusal }) {
            problems.append(
                .init(
                    .degraded,
                    "the configuration was refused at \(Moment(refusal.at)), and what was read before is in force: "
                        + refusal.why,
                    advice: "mend it, then `chappe reload`; what takes a restart: `systemctl restart chappe`")
            )
        }
        let statistics = store.statistics
        for damage in statistics.damages {
            problems.append(
                .init(
                    .critical, "the store is damaged: \(damage)",
                    advice: "what cannot be read is held; stop the node, then `chappe store repair` "
                        + "(ops/runbooks/store-sick.md)"))
        }
        if statistics.damageCount > statistics.damages.count {
            problems.append(
                .init(
                    .critical,
                    "the store is damaged in \(statistics.damageCount - statistics.damages.count) more places",
                    advice: "`chappe store verify`"))
        }
        let unreadable = dispatcher.status.counters.unreadable
        if unreadable > 0 && statistics.damageCount == 0 {
            problems.append(
                .init(
                    .critical, "\(unreadable) attempts met a message that cannot be read from the disk",
                    advice: "the events of kind store name it; stop the node, then `chappe store repair`"))
        }
        if !status.queue.isLoaded { problems.append(.init(.degraded, "the queue is still being read")) }
        if let hold = store.heldSince, status.queue.held > 0 {
            problems.append(
                .init(
                    .degraded, "everything that was queued is held: \(hold.reason)",
                    advice: "look at it, then `chappe queue release --all --reason …`"))
        }
        if let expiry = firstExpiry, expiry - status.now.timestamp < PlanReader.expiryNotice {
            let isOver = expiry <= status.now.timestamp
            problems.append(
                .init(
                    isOver ? .critical : .degraded,
                    "a certificate \(isOver ? "ended" : "ends") at \(Moment(expiry))",
                    advice: "renew it, then `chappe reload` (ops/runbooks/certificate-expires.md)"))
        }
        // Who leaves has closed his doors himself.
        if status.isDraining && !isLeaving {
            problems.append(.init(.degraded, "draining: no new sessions", advice: "`chappe undrain`"))
        }
        if status.events.dropped > 0 {
            problems.append(
                .init(
                    .degraded, "\(status.events.dropped) events dropped",
                    advice: "is the disk of the event file slow?"))
        }
        for warning in resolver.warnings { problems.append(.init(.degraded, warning)) }
        return problems
    }

    // MARK: Configuration

    package func checkConfiguration() async throws(AdminProblem) -> ConfigurationReport { examine().1 }

    package func reloadConfiguration(by caller: Caller) async throws(AdminProblem) -> ConfigurationReport {
        reload(by: caller.recordName)
    }

    // MARK: Selftest

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
            hostname: hostname, listeners: listeners,
            relayDomains: configuration.relay.relayDomains.map(\.pattern),
            sharedNetworks: configuration.relay.sharedNetworks.map {
                SelftestFacts.SharedNetwork(
                    network: $0.networks.all.map(\.description).sorted().joined(separator: ", "),
                    senderDomains: $0.senderDomains.map(\.name),
                    fromDomains: $0.authorDomains.map(\.name), header: $0.headerName, value: $0.headerValue)
            })
    }
}
