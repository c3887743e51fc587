import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization

/// What a worker's task keeps of its connection.
struct SiteSession {
    let worker: Int
    let destination: Destination
    let plan: DialPlan
    let executor: (any TaskExecutor)?
    /// The next address to dial.
    var position = 0
    var connection: (any ClientConnection)?
    var hostText = ""
    var addressText = ""
    var tlsText: String?
    var messageCount = 0

    mutating func take(_ connection: any ClientConnection) {
        self.connection = connection
        hostText = connection.target.hostName
        addressText = connection.target.address.description
        tlsText = connection.tls?.version
        messageCount = 0
    }
}

extension Dispatcher {
    /// Why a site could not be reached.
    struct OpenFailure {
        var failure: HostFailure
        /// Every host said that it never takes mail.
        var isForever: Bool
    }

    /// One connection from its opening to its end.
    func serve(_ worker: Int, at home: Int?) async {
        let (destination, plan) = state.withLock { state in
            let destination = state.sites[state.workers[worker].site].destination
            return (destination, DialPlan(destination, settings: state.settings, using: &state.random))
        }
        var session = SiteSession(
            worker: worker, destination: destination, plan: plan, executor: home.map { executors[$0] })
        if let failure = await open(&session) {
            let now = seams.clock.now
            change { state, effects in
                state.openingFailed(
                    worker, failure.failure, isForever: failure.isForever, now: now, &effects)
            }
            return
        }
        guard let connection = session.connection else {
            preconditionFailure("an opened session has its connection")
        }
        var now = seams.clock.now
        change { state, effects in state.opened(worker, connection, at: home, now: now, &effects) }
        let limit = state.withLock { $0.settings.limits.messagesPerConnection }
        // RFC 9422 §4.1: MAILMAX, the transactions that the host takes over one connection.
        let messageLimit = [limit, connection.capabilities.mailMaximum ?? 0].filter { $0 > 0 }.min() ?? 0
        while let work = await nextWork(for: worker) {
            guard session.connection?.isUsable == true else {
                putBack(work)
                break
            }
            await deliver(work, &session)
            guard session.connection?.isUsable == true else { break }
            if messageLimit > 0 && session.messageCount >= messageLimit { break }
        }
        now = seams.clock.now
        change { state, effects in state.closed(worker, now: now, &effects) }
        if let connection = session.connection, connection.isUsable {
            await connection.quit()
        } else {
            session.connection?.abort()
        }
    }

    private func nextWork(for worker: Int) async -> Work? {
        let now = seams.clock.now
        let mayDeliver = mayDeliver
        // Most often there is something to do, and no continuation need be made.
        switch state.withLock({ $0.next(for: worker, mayDeliver: mayDeliver, now: now, continuation: nil) }) {
        case .work(let work): return work
        case .end: return nil
        case .wait: break
        }
        return await withCheckedContinuation { continuation in
            let next = state.withLock {
                $0.next(for: worker, mayDeliver: mayDeliver, now: now, continuation: continuation)
            }
            switch next {
            case .work(let work): continuation.resume(returning: work)
            case .end: continuation.resume(returning: nil)
            case .wait: break
            }
        }
    }

    /// The entry goes to another connection.
    private func putBack(_ work: Work) {
        let now = seams.clock.now
        change { state, effects in state.putBack(work, now: now, &effects) }
    }

    // MARK: Opening

    /// Dials from the session's position on until a host takes us; nil: one did.
    func open(_ session: inout SiteSession) async -> OpenFailure? {
        var failure = OpenFailure(
            failure: HostFailure(
                reply: Reply(451, EnhancedStatus(4, 4, 1), "No host left to try"), host: nil, isOurWord: true),
            isForever: false)
        var isForever = true
        while session.position < session.plan.targets.count {
            var target = session.plan.targets[session.position]
            session.position += 1
            var result = await dial(target, session)
            if case .failure(.tlsFailed) = result, target.tls == .may, !target.implicitTLS {
                // With `may`, encryption is a bonus: a peer whose TLS is broken would otherwise get no mail
                // at all.
                state.withLock { $0.counters.clearFallbacks += 1 }
                target.tls = .none
                result = await dial(target, session)
            }
            switch result {
            case .success(let connection):
                state.withLock { $0.counters.connections += 1 }
                session.take(connection)
                return nil
            case .failure(let error):
                isForever = isForever && error.saysNoMailEver
                failure.failure = HostFailure(
                    reply: error.reply, host: target.hostName, isOurWord: !error.isAnswer)
                if state.withLock({ $0.openingIsOver(session.worker) }) { return failure }
            }
        }
        failure.isForever = isForever && failure.failure.host != nil
        return failure
    }

    private func dial(
        _ target: DialTarget, _ session: SiteSession
    ) async -> Result<any ClientConnection, DialError> {
        let dialer = seams.dialer
        let task = Task<any ClientConnection, any Error>(executorPreference: session.executor) {
            try await dialer.dial(target)
        }
        // The handle lets patience run out; the task is awaited here and nowhere outlives us.
        if state.withLock({ $0.dialling(session.worker, task) }) { task.cancel() }
        switch await task.result {
        case .success(let connection): return .success(connection)
        case .failure(let error):
            state.withLock { $0.counters.connectionsFailed += 1 }
            return .failure(error as? DialError ?? .notConnected(detail: "given up"))
        }
    }
}

extension DispatchState {
    /// Keeps the handle of a connection on its way. True: it is to be given up at once.
    mutating func dialling(_ worker: Int, _ task: Task<any ClientConnection, any Error>) -> Bool {
        workers[worker].dialling = task
        return isStopping || workers[worker].isGivenUp
    }

    func openingIsOver(_ worker: Int) -> Bool { isStopping || workers[worker].isGivenUp }

    mutating func putBack(_ work: Work, now: Timestamp, _ effects: inout Effects) {
        scheduler.putBack(work.slot)
        if let message = work.fresh { fresh.insert(message, for: work.slot, entryCount: 1) }
        wake(scheduler.domainIndex(work.slot), now: now, &effects)
    }
}
