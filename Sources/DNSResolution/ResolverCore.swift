import CUnbound
import DNSRecords
import Glibc
import MailValues
import Synchronization

/// The state of a resolver and the thread that waits for libunbound.
///
/// A look-up in flight is a *flight*; all who ask for the same thing meanwhile wait for it together. A flight
/// whose time is up leaves its askers but keeps its place until libunbound lets go of it, so that the count
/// of what runs is true.
final class ResolverCore: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What libunbound carries for us: which flight an answer belongs to.
    final class Tag: Sendable {
        let core: ResolverCore
        let key: LookupKey
        init(core: ResolverCore, key: LookupKey) {
            self.core = core
            self.key = key
        }
    }

    struct Waiter: Sendable {
        let id: UInt64
        let continuation: CheckedContinuation<LookupOutcome, Never>
    }

    private struct Flight: Sendable {
        enum Phase: Sendable { case waiting, running(LookupGate<LookupKey>.Place) }
        let number: UInt64
        let standing: LookupGate<LookupKey>.Standing
        /// When its askers hear "later": counted from the beginning of the wait, then anew from the beginning
        /// of the run.
        var deadline: Instant
        /// Alive as long as the flight is in the table: libunbound holds it unretained.
        let tag: Tag
        var phase: Phase
        var waiters: [Waiter]
        var isOverdue = false
    }

    private struct Timer: Sendable {
        let due: Instant
        let key: LookupKey
        let number: UInt64
    }

    private struct State: Sendable {
        var flights: [LookupKey: Flight] = [:]
        var gate: LookupGate<LookupKey>
        var cache: RecentMap<LookupKey, (outcome: LookupOutcome, expires: Instant)>
        /// True: the name's last look-up was answered; false: it failed.
        var answered: RecentMap<String, Bool>
        /// In order of time, because each queue adds the same span to the clock.
        var patience = FIFO<Timer>()
        var timeouts = FIFO<Timer>()
        var flightNumber: UInt64 = 0
        var waiterNumber: UInt64 = 0
        /// When the thread will wake by itself; nil: never.
        var wakesAt: Instant?
        /// Flights decided on, whose call of libunbound has not returned yet: the context must outlive it.
        var startingCount = 0
        var isStopping = false
        var isStopped = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
        var statistics = ResolverStatistics()
    }

    private let context: UnboundContext
    private let limits: ResolverLimits
    private let wakeDescriptor: CInt
    private let state: Mutex<State>

    init(_ context: UnboundContext, limits: ResolverLimits) throws(ResolverOpenError) {
        self.context = context
        self.limits = limits
        wakeDescriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeDescriptor >= 0 else {
            context.delete()
            throw .libraryFailed(detail: "no eventfd: errno \(errno)")
        }
        state = Mutex(
            State(
                gate: LookupGate(limits: limits), cache: RecentMap(capacity: limits.cachedAnswers),
                answered: RecentMap(capacity: limits.rememberedNames)))
    }

    deinit { close(wakeDescriptor) }

    var statistics: ResolverStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.prompt = state.gate.promptCount
            statistics.slow = state.gate.slowCount
            statistics.failing = state.gate.failingCount
            statistics.waiting = state.gate.waitingCount
            statistics.cached = state.cache.count
            return statistics
        }
    }

    // MARK: Asking

    /// The answer that is at hand, with the time that it may still be kept.
    func cached(_ key: LookupKey) -> LookupOutcome? {
        state.withLock { Self.cached(key, in: &$0, now: .now) }
    }

    private static func cached(_ key: LookupKey, in state: inout State, now: Instant) -> LookupOutcome? {
        guard let entry = state.cache.value(key) else { return nil }
        guard entry.expires > now else {
            state.cache.remove(key)
            return nil
        }
        state.statistics.cacheHits += 1
        var outcome = entry.outcome
        outcome.timeToLive = now.duration(to: entry.expires)
        return outcome
    }

    /// A number for an asker, so that `withdraw` can name it.
    func waiterNumber() -> UInt64 {
        state.withLock { state in
            state.waiterNumber += 1
            return state.waiterNumber
        }
    }

    /// Asks; the waiter is resumed once, now or later, on any thread.
    func ask(_ key: LookupKey, _ waiter: Waiter) {
        let now = Instant.now
        var begin: Tag?
        let answer: LookupOutcome? = state.withLock { state in
            if state.isStopping { return .temporary("the resolver is closed") }
            if let outcome = Self.cached(key, in: &state, now: now) { return outcome }
            if let flight = state.flights[key] {
                if flight.isOverdue { return .temporary("no answer in time for \(key.name)") }
                state.statistics.joined += 1
                state.flights[key]?.waiters.append(waiter)
                return nil
            }
            return admit(key, waiter, now: now, in: &state, begin: &begin)
        }
        if let begin { start([begin]) }
        if let answer { waiter.continuation.resume(returning: answer) }
    }

    private func admit(
        _ key: LookupKey, _ waiter: Waiter, now: Instant, in state: inout State, begin: inout Tag?
    ) -> LookupOutcome? {
        let standing = Self.standing(of: key.name, in: state)
        let admission = state.gate.request(key, standing: standing)
        let tag = Tag(core: self, key: key)
        state.flightNumber += 1
        var flight = Flight(
            number: state.flightNumber, standing: standing, deadline: now + limits.timeout, tag: tag,
            phase: .waiting,
            waiters: [waiter])
        let timer = Timer(due: flight.deadline, key: key, number: flight.number)
        switch admission {
        case .refuse:
            state.statistics.overLimit += 1
            return .temporary("too many look-ups are waiting")
        case .wait:
            state.timeouts.append(timer)
        case .run(let place):
            flight.phase = .running(place)
            state.timeouts.append(timer)
            state.patience.append(Timer(due: now + limits.patience, key: key, number: flight.number))
            state.statistics.lookups += 1
            state.startingCount += 1
            begin = tag
        }
        state.flights[key] = flight
        wakeIfLate(&state, now: now)
        return nil
    }

    /// An asker has gone. Its look-up goes on: the answer is worth keeping.
    func withdraw(_ key: LookupKey, waiter: UInt64) {
        let found: Waiter? = state.withLock { state in
            guard let index = state.flights[key]?.waiters.firstIndex(where: { $0.id == waiter }) else {
                return nil
            }
            return state.flights[key]?.waiters.remove(at: index)
        }
        found?.continuation.resume(returning: .temporary("the look-up was cancelled"))
    }

    /// A name counts as proven if it or the name above it has answered: `mx1.example.org` by `example.org`.
    private static func standing(of name: String, in state: State) -> LookupGate<LookupKey>.Standing {
        if let answered = state.answered.value(name) { return answered ? .proven : .failing }
        if let parent = parent(of: name), state.answered.value(parent) == true { return .proven }
        return .unknown
    }

    /// The name without its first label; nil for one that stands right below the root.
    private static func parent(of name: String) -> String? {
        guard let dot = name.utf8.firstIndex(of: 0x2E) else { return nil }
        let parent = name[name.utf8.index(after: dot)...]
        return parent.utf8.contains(0x2E) ? String(parent) : nil
    }

    // MARK: Running

    /// Hands flights to libunbound. Those that it does not take end at once, and others may begin in their
    /// place.
    private func start(_ tags: [Tag]) {
        var tags = tags
        while let tag = tags.popLast() {
            let problem = context.resolve(
                tag.key, context: Unmanaged.passUnretained(tag).toOpaque(), callback: answered)
            state.withLock { $0.startingCount -= 1 }
            if let problem { tags += finish(tag.key, .temporary(problem)) }
        }
    }

    /// An answer has come, on our own thread.
    fileprivate func finished(_ key: LookupKey, _ outcome: LookupOutcome) { start(finish(key, outcome)) }

    /// Files the answer and tells who waits. Returns the flights that may begin now.
    private func finish(_ key: LookupKey, _ outcome: LookupOutcome) -> [Tag] {
        var begin: [Tag] = []
        let waiters: [Waiter] = state.withLock { state in
            guard let flight = state.flights.removeValue(forKey: key) else { return [] }
            let now = Instant.now
            if case .running(let place) = flight.phase { state.gate.finished(place) }
            file(key, outcome, in: &state, now: now)
            begin = beginNext(in: &state, now: now)
            return flight.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: outcome) }
        return begin
    }

    private func file(_ key: LookupKey, _ outcome: LookupOutcome, in state: inout State, now: Instant) {
        let kept: Duration
        switch outcome.result {
        case .success(let records):
            kept = min(outcome.timeToLive, records.isEmpty ? limits.negativeLongest : limits.cacheLongest)
            remember(key.name, answered: true, in: &state)
        case .failure(.noSuchName):
            kept = min(outcome.timeToLive, limits.negativeLongest)
            remember(key.name, answered: true, in: &state)
        case .failure(.bogus):
            kept = limits.failureHold
            state.statistics.bogus += 1
        case .failure(.temporary), .failure(.badName):
            kept = limits.failureHold
            state.statistics.failures += 1
            remember(key.name, answered: false, in: &state)
        }
        if outcome.isSecure { state.statistics.secure += 1 }
        if kept > .zero { state.cache.set(key, (outcome, now + kept)) }
    }

    private func remember(_ name: String, answered: Bool, in state: inout State) {
        state.answered.set(name, answered)
        if answered, let parent = Self.parent(of: name) { state.answered.set(parent, true) }
    }

    private func beginNext(in state: inout State, now: Instant) -> [Tag] {
        var begin: [Tag] = []
        while !state.isStopping, let next = state.gate.next() {
            guard var flight = state.flights[next.id], case .waiting = flight.phase else {
                preconditionFailure("who waits in the gate waits in the table")
            }
            flight.phase = .running(next.place)
            flight.deadline = now + limits.timeout
            state.flights[next.id] = flight
            state.timeouts.append(Timer(due: flight.deadline, key: next.id, number: flight.number))
            state.patience.append(Timer(due: now + limits.patience, key: next.id, number: flight.number))
            state.statistics.lookups += 1
            state.startingCount += 1
            begin.append(flight.tag)
        }
        if !begin.isEmpty { wakeIfLate(&state, now: now) }
        return begin
    }

    // MARK: Time

    /// Moves flights on whose time has come. Returns when the next one's comes.
    private func tick(now: Instant) -> Instant? {
        var given: [Waiter] = []
        var begin: [Tag] = []
        let next: Instant? = state.withLock { state in
            while let timer = state.patience.first, timer.due <= now {
                _ = state.patience.popFirst()
                guard let flight = state.flights[timer.key], flight.number == timer.number,
                    case .running(let place) = flight.phase
                else { continue }
                state.flights[timer.key]?.phase = .running(state.gate.slowed(place))
            }
            while let timer = state.timeouts.first, timer.due <= now {
                _ = state.timeouts.popFirst()
                guard let flight = state.flights[timer.key], flight.number == timer.number,
                    flight.deadline <= now
                else { continue }
                given += expire(timer.key, flight, in: &state, now: now)
            }
            begin = beginNext(in: &state, now: now)
            state.wakesAt = [state.patience.first?.due, state.timeouts.first?.due].compactMap(\.self).min()
            return state.wakesAt
        }
        for waiter in given { waiter.continuation.resume(returning: .temporary("no answer in time")) }
        start(begin)
        return next
    }

    private func expire(_ key: LookupKey, _ flight: Flight, in state: inout State, now: Instant) -> [Waiter] {
        state.statistics.timeouts += 1
        switch flight.phase {
        case .waiting:
            // Our own crowd, no fault of the name: nothing is remembered.
            state.gate.gaveUp(key, standing: flight.standing)
            state.flights[key] = nil
        case .running:
            state.flights[key]?.waiters = []
            state.flights[key]?.isOverdue = true
            remember(key.name, answered: false, in: &state)
            state.cache.set(key, (.temporary("no answer in time for \(key.name)"), now + limits.failureHold))
        }
        return flight.waiters
    }

    /// Wakes the thread if it would sleep beyond the timer that was just set.
    private func wakeIfLate(_ state: inout State, now: Instant) {
        let due = now + min(limits.patience, limits.timeout)
        if let wakesAt = state.wakesAt, wakesAt <= due { return }
        state.wakesAt = due
        wake()
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeDescriptor, &one, 8)
    }

    // MARK: The thread

    /// Starts the thread; it holds the core until `stop()`.
    func run() throws(ResolverOpenError) {
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                Unmanaged<ResolverCore>.fromOpaque(pointer!).takeRetainedValue().loop()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else {
            Unmanaged.passUnretained(self).release()
            context.delete()
            throw .libraryFailed(detail: "no thread: errno \(code)")
        }
        pthread_detach(thread)
    }

    private func loop() {
        var next: Instant?
        // Ends when `stop()` says so.
        while !state.withLock({ $0.isStopping }) {
            var descriptors = [
                pollfd(fd: context.fileDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&descriptors, 2, Self.milliseconds(until: next))
            if descriptors[1].revents != 0 {
                var count: UInt64 = 0
                _ = read(wakeDescriptor, &count, 8)
            }
            if descriptors[0].revents != 0 { _ = context.process() }
            next = tick(now: .now)
        }
        // As long as one call to libunbound takes; no new ones begin.
        while state.withLock({ $0.startingCount > 0 }) { sched_yield() }
        context.delete()
        finishStop()
    }

    private static func milliseconds(until moment: Instant?) -> CInt {
        guard let moment else { return -1 }
        let left = Instant.now.duration(to: moment).wholeMilliseconds
        return CInt(clamping: max(0, left + 1))
    }

    /// Everybody who waits hears "later"; the thread ends after what it is doing.
    func stop() {
        let waiters: [Waiter] = state.withLock { state in
            guard !state.isStopping else { return [] }
            state.isStopping = true
            let waiters = state.flights.values.flatMap(\.waiters)
            for key in state.flights.keys { state.flights[key]?.waiters = [] }
            return waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: .temporary("the resolver is closed")) }
        wake()
    }

    /// Returns when the thread and libunbound's have ended.
    func stopped() async {
        await withCheckedContinuation { continuation in
            let isStopped = state.withLock { state in
                if !state.isStopped { state.stopWaiters.append(continuation) }
                return state.isStopped
            }
            if isStopped { continuation.resume() }
        }
    }

    private func finishStop() {
        let waiters = state.withLock { state in
            state.isStopped = true
            state.flights = [:]
            defer { state.stopWaiters = [] }
            return state.stopWaiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

/// libunbound's callback: the tag says whose answer this is.
private func answered(
    _ pointer: UnsafeMutableRawPointer?, _ code: CInt, _ result: UnsafeMutablePointer<ub_result>?
) {
    guard let pointer else { return }
    let tag = Unmanaged<ResolverCore.Tag>.fromOpaque(pointer).takeUnretainedValue()
    var outcome = LookupOutcome.temporary(UnboundContext.text(code))
    if let result {
        if code == 0 { outcome = LookupOutcome(tag.key, result.pointee) }
        ub_resolve_free(result)
    }
    tag.core.finished(tag.key, outcome)
}
