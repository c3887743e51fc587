package import DNSRecords
package import MailValues
package import QueueEngine
package import SMTPProtocol
import Synchronization
package import Telemetry

/// The world as delivery meets it.
package struct DeliverySeams: Sendable {
    package var store: any QueueStore
    package var resolver: any DNSResolver
    package var dialer: any Dialer
    package var events: any EventSink
    package var clock: any DeliveryClock

    package init(
        store: any QueueStore, resolver: any DNSResolver, dialer: any Dialer, events: any EventSink,
        clock: any DeliveryClock
    ) {
        self.store = store
        self.resolver = resolver
        self.dialer = dialer
        self.events = events
        self.clock = clock
    }
}

/// Takes messages from the queue to their next hops.
///
/// One task serves one connection, message after message; there is no task and no timer for a single message.
/// All that is known of domains, sites and connections stands in `DispatchState` behind one lock, which is
/// held for short steps and never across a wait, a disk or a socket.
package final class Dispatcher: MessageFeed {
    /// How often time is looked at: what is due, who waits too long.
    static let tick = DispatchState.round

    let seams: DeliverySeams
    let state: Mutex<DispatchState>
    let lane = DirectLane()
    private let isPaused = Atomic<Bool>(false)
    let executors: [any TaskExecutor]
    private let jobs: AsyncStream<Job>
    private let jobsIn: AsyncStream<Job>.Continuation

    /// - Parameters:
    ///   - executors: where connections are served, in turn; empty: the concurrency pool of the language. Mail
    ///   that arrives on one that is a `Lane` too goes out there if it can.
    ///   - seed: for spreading and shuffling; must differ between starts, since ids of reports are made of it
    ///   too.
    package init(
        settings: DeliverySettings, seams: DeliverySeams, executors: [any TaskExecutor] = [], seed: UInt64
    ) {
        self.seams = seams
        self.executors = executors
        state = Mutex(DispatchState(settings: settings, seed: seed))
        (jobs, jobsIn) = AsyncStream.makeStream(of: Job.self)
    }

    /// Delivers until `stop` was called and what was in flight has ended.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepTime() }
            var turn = 0
            for await job in jobs {
                let home = executors.isEmpty ? nil : turn % executors.count
                // Connections alone take turns: looked-up domains between them would put all in one place.
                if case .serve = job { turn &+= 1 }
                group.addTask(executorPreference: home.map { executors[$0] }) {
                    await self.perform(job, at: home)
                }
            }
        }
    }

    /// Begins nothing new; what is in flight may take `grace`, then its connections are cut. `run` returns
    /// when all is over.
    package func stop(grace: Duration) {
        let now = seams.clock.now
        change { state, effects in state.stop(abortAt: now + grace, now: now, &effects) }
    }

    /// While it is paused no attempt begins: a node that may not deliver takes and keeps mail all the same.
    package func pause(_ isPaused: Bool) { self.isPaused.store(isPaused, ordering: .releasing) }

    /// Whether an attempt may begin, and could be recorded.
    var mayDeliver: Bool {
        !isPaused.load(ordering: .acquiring) && seams.store.deliveryRefusal == nil
    }

    package func arrived(_ envelope: Envelope, content: [[UInt8]], on lane: (any Lane)? = nil) {
        let now = seams.clock.now
        let mayDeliver = mayDeliver
        let home = lane.flatMap { lane in executors.firstIndex { $0 === lane } }
        change { state, effects in
            effects.home = home
            var ready: [DomainIndex] = []
            state.admit(envelope, content: content, now: now, ready: &ready)
            for domain in ready {
                if mayDeliver { state.wake(domain, now: now, &effects) } else { state.awaken(domain) }
            }
        }
    }

    package var status: DeliveryStatus {
        state.withLock { $0.status }
    }

    // MARK: Steps

    /// One step of the state, then what it asks for.
    func change<Result>(_ body: (inout DispatchState, inout Effects) -> Result) -> Result {
        var effects = Effects()
        let result = state.withLock { body(&$0, &effects) }
        carryOut(effects)
        return result
    }

    private func carryOut(_ effects: Effects) {
        for job in effects.jobs { jobsIn.yield(job) }
        for (continuation, work) in effects.resumed { continuation.resume(returning: work) }
        for task in effects.givenUp { task.cancel() }
        for connection in effects.aborted { connection.abort() }
    }

    /// `home`: among the executors.
    private func perform(_ job: Job, at home: Int?) async {
        switch job {
        case .resolve(let index, let domain): await resolve(index, domain)
        case .serve(let worker): await serve(worker, at: home)
        case .settle: await settleMatters()
        }
    }

    private func resolve(_ index: DomainIndex, _ domain: Domain) async {
        let (settings, number) = state.withLock { ($0.settings, $0.settingsNumber) }
        let answer = await DestinationSearch(settings: settings, resolver: seams.resolver).hosts(of: domain)
        let now = seams.clock.now
        change { state, effects in state.resolved(index, answer, under: number, now: now, &effects) }
    }

    /// Looks at the clock until all is over.
    private func keepTime() async {
        while true {
            let now = seams.clock.now
            let mayDeliver = mayDeliver
            let isMore = change { state, effects in state.tick(now: now, mayDeliver: mayDeliver, &effects) }
            retryRecords(now: now)
            if state.withLock({ $0.isStopping && $0.isAtRest }) { break }
            if isMore { await Task.yield() } else { await seams.clock.sleep(until: now + Self.tick) }
        }
        jobsIn.finish()
    }
}

/// Runs what the store reports right where it reports it: our steps are shorter than a hop to another thread.
final class DirectLane: Lane {
    func run(_ job: @escaping @Sendable () -> Void) { job() }
}
