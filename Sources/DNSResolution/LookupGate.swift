/// Decides which look-ups may run, so that names that do not answer take no place from those that do.
///
/// Nobody knows beforehand which zone is dead. So a look-up begins among the prompt ones, and moves to the
/// slow ones when its patience is over; when those are full, only names that have answered before are asked
/// for. A name that failed lately runs in a share of its own from the beginning.
struct LookupGate<ID: Hashable & Sendable>: Sendable {
    /// What is known of a name.
    enum Standing: Sendable, Equatable { case proven, unknown, failing }

    /// The share that a look-up occupies.
    enum Place: Sendable, Equatable { case prompt, slow, failing }

    enum Admission: Sendable, Equatable {
        case run(Place)
        case wait
        /// Too much is waiting already.
        case refuse
    }

    private let limits: ResolverLimits
    private(set) var promptCount = 0
    private(set) var slowCount = 0
    private(set) var failingCount = 0
    private var provenWaiting = FIFO<ID>()
    private var unknownWaiting = FIFO<ID>()
    private var failingWaiting = FIFO<ID>()

    init(limits: ResolverLimits) { self.limits = limits }

    var waitingCount: Int { provenWaiting.count + unknownWaiting.count + failingWaiting.count }
    var runningCount: Int { promptCount + slowCount + failingCount }

    mutating func request(_ id: ID, standing: Standing) -> Admission {
        if mayRun(standing) && waiting(standing).isEmpty { return .run(occupy(standing)) }
        // Each kind has a share of the waiting room too: a crowd of the dead must not fill it.
        let room = standing == .proven ? limits.waitingLookups : limits.waitingLookups / 2
        guard waitingCount < room else { return .refuse }
        switch standing {
        case .proven: provenWaiting.append(id)
        case .unknown: unknownWaiting.append(id)
        case .failing: failingWaiting.append(id)
        }
        return .wait
    }

    /// A look-up is no longer prompt. The new place, for `finished`.
    mutating func slowed(_ place: Place) -> Place {
        guard place == .prompt else { return place }
        promptCount -= 1
        slowCount += 1
        return .slow
    }

    mutating func finished(_ place: Place) {
        switch place {
        case .prompt: promptCount -= 1
        case .slow: slowCount -= 1
        case .failing: failingCount -= 1
        }
        precondition(
            promptCount >= 0 && slowCount >= 0 && failingCount >= 0, "a look-up gave its place back twice")
    }

    /// A look-up that waits has waited long enough: always the one that has waited longest of its kind.
    mutating func gaveUp(_ id: ID, standing: Standing) {
        switch standing {
        case .proven: if provenWaiting.first == id { _ = provenWaiting.popFirst() }
        case .unknown: if unknownWaiting.first == id { _ = unknownWaiting.popFirst() }
        case .failing: if failingWaiting.first == id { _ = failingWaiting.popFirst() }
        }
    }

    /// The next look-up that may run and its place. Ask again until it is nil.
    ///
    /// Of unknown names the latest goes first: when more of them are dead than we can try, this gives some a
    /// good answer instead of all a late one.
    mutating func next() -> (id: ID, place: Place)? {
        for standing in [Standing.proven, .unknown, .failing] where mayRun(standing) {
            guard let id = take(standing) else { continue }
            return (id, occupy(standing))
        }
        return nil
    }

    private func mayRun(_ standing: Standing) -> Bool {
        switch standing {
        case .proven: promptCount < limits.promptLookups
        case .unknown: promptCount < limits.promptLookups && slowCount < limits.slowLookups
        case .failing: failingCount < limits.failingLookups
        }
    }

    private func waiting(_ standing: Standing) -> FIFO<ID> {
        switch standing {
        case .proven: provenWaiting
        case .unknown: unknownWaiting
        case .failing: failingWaiting
        }
    }

    private mutating func take(_ standing: Standing) -> ID? {
        switch standing {
        case .proven: provenWaiting.popFirst()
        case .unknown: unknownWaiting.popLast()
        case .failing: failingWaiting.popFirst()
        }
    }

    private mutating func occupy(_ standing: Standing) -> Place {
        switch standing {
        case .proven, .unknown:
            promptCount += 1
            return .prompt
        case .failing:
            failingCount += 1
            return .failing
        }
    }
}
