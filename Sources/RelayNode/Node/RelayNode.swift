import Cryptography
import DNSResolution
import Delivery
import Dispatch
import EventRecording
import Glibc
import Intake
import MailValues
import NIOCore
import NIOPosix
import QueueEngine
import QueueStorage
import SMTPProtocol
import SMTPTransport
import Synchronization
import Telemetry

/// The node: the one place where all parts meet.
///
/// Parts start from the ground up (store, resolver, delivery, intake, listeners) and stop from the door down.
package final class RelayNode: Sendable {
    /// What a reload replaces.
    struct InForce: Sendable {
        var plan: NodePlan
        var loadedAt: Timestamp
        /// Set by `drain`: sessions end and no listener accepts, while delivery goes on.
        var isDraining = false
        var openListeners: [(configuration: ListenerConfiguration, listener: OpenListener)] = []
        /// What a drained node's listeners leave behind, so that they can come back.
        var restingSockets: [(configuration: ListenerConfiguration, socket: RestingSocket)] = []
        /// When the file was last read again and refused, and why; nil once it was taken.
        var reloadRefusal: (at: Timestamp, why: String)?
    }

    let path: String
    let startedAt: Timestamp
    let store: RocksQueue
    let resolver: UnboundResolver
    let events: any EventSink
    let eventFile: EventFile?
    let metrics = NodeMetrics()
    let dispatcher: Dispatcher
    let knowledge: SharedKnowledge
    let intake: IntakeFlow
    let verdictWatch: VerdictWatch
    let authenticator: Authenticator
    let server: SMTPServer
    let certificates: [ListenerName: TLSServerContextStore]
    let sessions: Mutex<[ListenerName: SessionSettings]>
    let inForce: Mutex<InForce>
    let cluster: ClusterService
    let acceptance = Acceptance()
    /// Gives mail to other members and takes it from them; nil as long as there are none.
    let leaving = Mutex<LeavingShell?>(nil)
    /// Messages that an earlier life had offered, for as long as nobody settles that.
    let offeredAtStart = Atomic<Int>(0)
    let leavingRun = Mutex<Task<Void, Never>?>(nil)
    private let endReason = Mutex<NodeError?>(nil)
    private let clusterContent: ClusterStore.Content?
    let isLoaded = Atomic<Bool>(false)
    let reported = Mutex(Reported())
    private let group: MultiThreadedEventLoopGroup
    let lanes: EventLoopLanes
    private let stopRequests: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)
    let service = ServiceManager()

    // MARK: Start

    /// Reads the configuration, binds, gives up root, and opens every part; `run` then lets mail in.
    package static func open(path: String) throws(NodeError) -> (node: RelayNode, sockets: NodeSockets) {
        Privileges.restrictFileMode()
        Privileges.raiseDescriptorLimit()
        // Whoever asks later stands elsewhere, and reads it in `chappe status`.
        let path = AbsolutePath.of(path)
        let configuration: Configuration
        do { configuration = try Configuration.load(path: path) } catch { throw NodeError("\(error)") }
        // Whom root is given up for; the rest waits until it is.
        let reader = PlanReader(configuration: configuration)
        reader.judgeUser()
        guard !reader.problems.hasErrors else {
            throw NodeError("\(ConfigurationError(path: path, problems: reader.problems.inOrder))")
        }
        let sockets = try NodeSockets(configuration)
        try giveUpRoot(configuration)
        return (try RelayNode(path: path, plan: plan(path, sameAs: configuration)), sockets)
    }

    /// After root is given up: what a reload could not read, the start does not read either.
    private static func plan(
        _ path: String, sameAs bound: Configuration
    ) throws(NodeError) -> NodePlan {
        let (plan, problems) = NodePlan.examine(path: path)
        guard let plan else { throw NodeError("\(ConfigurationError(path: path, problems: problems))") }
        guard plan.configuration.settingsThatNeedRestart(since: bound).isEmpty else {
            throw NodeError("\(path) was changed while it was read: start the node again")
        }
        for warning in problems { NodeLog.say("warning: \(path): \(warning)") }
        return plan
    }

    private static func giveUpRoot(_ configuration: Configuration) throws(NodeError) {
        guard Privileges.isRoot else { return }
        do {
            let identity = try Privileges.identity(user: configuration.user, group: configuration.group)
            try NodeFolders.prepare(configuration, owner: identity)
            try Privileges.become(identity, user: configuration.user)
        } catch let error as NodeError {
            throw error
        } catch {
            throw NodeError("\(error)")
        }
    }

    private init(path: String, plan: NodePlan) throws(NodeError) {
        let configuration = plan.configuration
        let now = WallClock.now()
        self.path = path
        startedAt = now
        try NodeFolders.prepare(configuration, owner: nil)
        eventFile = try Self.eventFile(configuration.events)
        events = eventFile ?? NoEvents()
        (store, clusterContent) = try Self.openStore(configuration, now: now)
        do { resolver = try UnboundResolver(NodePlan.resolver(configuration.dns)) } catch {
            throw .part("dns", error)
        }
        for warning in resolver.warnings { NodeLog.say("warning: \(warning)") }

        group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopCount ?? System.coreCount)
        lanes = EventLoopLanes(group)
        var dialing = DialerSettings()
        dialing.connectTimeout = configuration.delivery.connectTimeout
        dispatcher = Dispatcher(
            settings: plan.delivery,
            seams: DeliverySeams(
                store: store, resolver: resolver,
                dialer: SMTPDialer(group: group, clientTLS: plan.clientTLS, settings: dialing),
                events: events,
                clock: SystemDeliveryClock()),
            executors: lanes.all, seed: .random(in: 0...UInt64.max))

        let secret = try TextFile.keep(configuration.dataDirectory + "/login-secret") {
            var random = SecureRandom()
            return random.octets(count: 32)
        }
        var logins = AuthenticationSettings()
        logins.offersChannelBinding = configuration.authentication.mechanisms.contains("SCRAM-SHA-256-PLUS")
        authenticator = Authenticator(
            accounts: plan.accounts, settings: logins, serverSecret: secret, workers: PasswordPool())
        knowledge = SharedKnowledge(
            node: SharedKnowledge.nobody, settings: NodePlan.knowledge(configuration),
            clock: SharedKnowledge.systemClock())
        var random = SystemRandomNumberGenerator()
        intake = IntakeFlow(
            policy: plan.intake, store: store, feed: dispatcher, events: events, metrics: metrics,
            authenticator: authenticator, resolver: resolver,
            budget: OctetBudget(limit: configuration.intake.octetsInFlight), census: SessionCensus(),
            ids: QueueIDSource(using: &random), gate: knowledge, clock: { WallClock.now() })
        verdictWatch = VerdictWatch(knowledge: knowledge, dispatcher: dispatcher, metrics: metrics) {
            [intake] listener in intake.policy.listeners[listener]?.verdicts ?? .reject
        }
        server = SMTPServer(group: group, lanes: lanes, clock: { WallClock.now() })
        certificates = Dictionary(
            uniqueKeysWithValues: plan.listeners.compactMap { listener in
                listener.tls.map { (listener.configuration.name, TLSServerContextStore($0)) }
            })
        sessions = Mutex(
            Dictionary(uniqueKeysWithValues: plan.listeners.map { ($0.configuration.name, $0.session) }))
        inForce = Mutex(InForce(plan: plan, loadedAt: now))
        let clusterStore = ClusterStore(store, lane: DispatchLane.shared)
        cluster = ClusterService(
            ClusterService.Settings(
                folder: configuration.dataDirectory, address: configuration.cluster.address,
                port: configuration.cluster.port, name: configuration.hostname.name), store: clusterStore)
        // A member delivers once it knows that it may.
        dispatcher.pause(true)
        stopRequests = AsyncStream.makeStream()
    }

    private static func eventFile(_ configuration: EventConfiguration) throws(NodeError) -> EventFile? {
        guard let file = configuration.file else { return nil }
        var settings = EventFile.Settings(path: file)
        if let octets = configuration.waitingOctets { settings.waitingOctets = octets }
        do { return try EventFile(settings) } catch { throw .part("events", error) }
    }

    // MARK: Run

    /// Takes and delivers mail until `stop`, then ends every part in order.
    package func run(_ sockets: NodeSockets) async throws(NodeError) {
        await cluster.attach(clusterSeams())
        try await cluster.start(clusterContent)
        let doors = try await openAll(sockets)
        let delivery = Task { await dispatcher.run() }
        let loading = Task { await load() }
        let judging = Task { await verdictWatch.run() }
        let watchdog = Task { await keepWatchdog() }
        tell("ready", listeners: true)
        service.ready("taking mail")

        var failure: NodeError?
        let failed = Task {
            do { try await doors.value } catch {
                NodeLog.say("error: admin: \(error)")
                stop(because: "admin: \(error)")
            }
        }
        for await _ in stopRequests.stream { break }

        service.stopping()
        tell("stopping", listeners: false)
        await closeListeners(forGood: true)
        // One grace for all: deliveries in hand end while sessions do, and what still comes in waits on the disk.
        let grace = inForce.withLock { $0.plan.configuration.shutdownGrace }
        dispatcher.stop(grace: grace)
        await server.drain(grace: grace)
        failure = await loading.value
        verdictWatch.stop()
        await judging.value
        await delivery.value
        watchdog.cancel()
        doors.cancel()
        await failed.value
        await closeGround()
        if failure == nil, let why = endReason.withLock({ $0 }) { failure = why }
        if let failure { throw failure }
    }

    /// Doors for operators first: who cannot look at a node is not to find it taking mail.
    private func openAll(_ sockets: NodeSockets) async throws(NodeError) -> Task<Void, any Error> {
        do throws(NodeError) {
            let doors = try await openDoors()
            do throws(NodeError) { try await openListeners(sockets.all) } catch {
                doors.cancel()
                _ = await doors.result
                throw error
            }
            return doors
        } catch {
            await closeListeners(forGood: true)
            await closeGround()
            throw error
        }
    }

    /// Ends what stands below the doors.
    private func closeGround() async {
        await endLeaving()
        await cluster.stop()
        await resolver.close()
        store.close()
        tell("stopped", listeners: false)
        eventFile?.close()
        try? await group.shutdownGracefully()
    }

    /// Asks `run` to end; may be called from anywhere, any number of times.
    package func stop() { stopRequests.continuation.yield() }

    /// As `stop`, and `run` fails with the reason.
    func stop(because why: String, exit: NodeError.Exit = .configuration) {
        endReason.withLock { $0 = $0 ?? NodeError(why, exit: exit) }
        stop()
    }

    /// The event file was moved away: open it anew.
    package func reopenEvents() { eventFile?.reopen() }

    func session(for name: ListenerName) -> SessionSettings {
        guard let settings = sessions.withLock({ $0[name] }) else {
            preconditionFailure(
                "a listener that serves has settings: reloads replace them and take none away")
        }
        return settings
    }

    /// Schedules what the store holds, on a thread of its own: the scan waits for the disk.
    ///
    /// What cannot be read must not be taken for not there: a damaged queue ends the node.
    private func load() async -> NodeError? {
        let report = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [dispatcher] in
                continuation.resume(returning: Result { () throws(StoreError) in try dispatcher.rebuild() })
            }
        }
        switch report {
        case .success(let report):
            // Who has left has given them away.
            if clusterContent?.hasLeft != true { offeredAtStart.store(report.offered, ordering: .relaxed) }
            isLoaded.store(true, ordering: .releasing)
            verdictWatch.queueLoaded()
            NodeLog.say("queue: \(report.messages) messages scheduled")
            store.beginExamining()
        case .failure(.damaged(let detail)):
            stop()
            return NodeError.part(
                "store",
                StoreOpenError.damaged(file: "the queue", detail: store.statistics.damages.first ?? detail))
        case .failure(let error):
            NodeLog.say("error: the queue could not be read (\(error.words)); run `chappe store verify`")
        }
        return nil
    }

    private func keepWatchdog() async {
        guard let interval = service.watchdogInterval else { return }
        while !Task.isCancelled {
            // Silence is what tells systemd to start us anew.
            if await isLive() { service.alive() }
            try? await Task.sleep(for: interval)
        }
    }

    func tell(_ what: String, listeners: Bool) {
        var event = Event(.lifecycle, at: WallClock.now())
        event.add("event", what)
        event.add("version", NodeVersion.text)
        if listeners {
            event.add(
                "listeners",
                .list(
                    inForce.withLock {
                        $0.openListeners.map { "\($0.configuration.name):\($0.listener.port)" }
                    }))
        }
        events.write(event.encoded())
    }
}

/// For those who want no event file.
private final class NoEvents: EventSink {
    func write(_ line: [UInt8]) {}
}
