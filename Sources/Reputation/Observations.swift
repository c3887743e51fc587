package import MailValues

/// What this node counted itself, and which of it is worth telling the others.
///
/// Bounded: when full, of the next few in turn the one goes about which least is left to say.
package struct Observations: Sendable {
    package struct Settings: Sendable, Equatable {
        /// Subjects remembered; each takes about 150 octets.
        package var subjectCount = 65_536
        /// A subject is told at most so often.
        package var tellInterval: Duration = .seconds(10)
        /// What is below it, in units of one spam, is not worth telling: most who come once never come again.
        package var tellLeast: Float = 1
        /// Told again once it has changed by this share, but for `trap` and `virus`, which are told at once.
        package var tellChange: Float = 0.25
        /// Told again after this time if there is still something to tell; below the fact's lifetime.
        package var tellAgain: Duration = .seconds(2 * 24 * 3600)

        package init() {}
    }

    private struct Seen: Sendable {
        var subject: ReputationSubject
        var counters: Counters
        /// As told, when it was told.
        var told: Counters?
        /// When both stood so; counters decay from then.
        var asOf: Int64
        var toldAt: Int64
        var isWaiting = false

        mutating func decay(to now: Int64) {
            let factor = Decay.factor(milliseconds: now - asOf)
            counters = counters.decayed(by: factor)
            told = told?.decayed(by: factor)
            asOf = now
        }
    }

    private let settings: Settings
    private var seen: [Seen] = []
    private var places: [ReputationSubject: Int] = [:]
    /// Next to be looked at when room is needed.
    private var hand = 0
    /// Subjects that changed enough, oldest first; each is in here at most once.
    private var waiting: [ReputationSubject] = []
    private var again = 0

    package init(settings: Settings = Settings()) { self.settings = settings }

    package var count: Int { seen.count }

    /// What we counted about a subject, as of now.
    package func counters(of subject: ReputationSubject, now: Uptime) -> Counters? {
        guard let place = places[subject] else { return nil }
        return seen[place].counters.decayed(
            by: Decay.factor(milliseconds: now.milliseconds - seen[place].asOf))
    }

    /// Counts an occurrence; what stands there now.
    @discardableResult
    package mutating func count(
        _ kind: Counters.Kind, of subject: ReputationSubject, by amount: Float = 1, now: Uptime
    ) -> Counters {
        let place = places[subject] ?? makeRoom(for: subject, now: now.milliseconds)
        seen[place].decay(to: now.milliseconds)
        seen[place].counters[kind] = min(seen[place].counters[kind] + amount, Counters.highest)
        if !seen[place].isWaiting, isWorthTelling(seen[place]) {
            seen[place].isWaiting = true
            waiting.append(subject)
        }
        return seen[place].counters
    }

    private func isWorthTelling(_ one: Seen) -> Bool {
        let weight = one.counters.badness + one.counters[.good] / 4
        guard weight >= settings.tellLeast else { return false }
        guard let told = one.told else { return true }
        if one.counters[.trap] > told[.trap] || one.counters[.virus] > told[.virus] { return true }
        let change = abs(one.counters.badness - told.badness) + abs(one.counters[.good] - told[.good]) / 4
        return change >= max(settings.tellLeast, settings.tellChange * weight)
    }

    /// What is to be told now, at most `countLongest`.
    package mutating func due(
        now: Uptime, countLongest: Int = 1000
    ) -> [(subject: ReputationSubject, fact: ReputationFact)] {
        lookForOld(now: now.milliseconds)
        var due: [(subject: ReputationSubject, fact: ReputationFact)] = []
        var later: [ReputationSubject] = []
        var index = 0
        while index < waiting.count, due.count < countLongest {
            let subject = waiting[index]
            index += 1
            guard let place = places[subject], seen[place].isWaiting else { continue }  // made room since
            if seen[place].told != nil,
                now.milliseconds - seen[place].toldAt < settings.tellInterval.wholeMilliseconds
            {
                later.append(subject)
                continue
            }
            seen[place].isWaiting = false
            seen[place].decay(to: now.milliseconds)
            seen[place].told = seen[place].counters
            seen[place].toldAt = now.milliseconds
            due.append((subject, ReputationFact(counters: seen[place].counters)))
        }
        waiting = later + waiting[index...]
        return due
    }

    /// A few of those told long ago each time; what has not faded is told again before it is forgotten.
    private mutating func lookForOld(now: Int64) {
        for _ in 0..<min(64, seen.count) {
            again = (again + 1) % seen.count
            guard seen[again].told != nil, !seen[again].isWaiting,
                now - seen[again].toldAt >= settings.tellAgain.wholeMilliseconds
            else { continue }
            seen[again].decay(to: now)
            guard seen[again].counters.badness + seen[again].counters[.good] / 4 >= settings.tellLeast else {
                continue
            }
            seen[again].isWaiting = true
            waiting.append(seen[again].subject)
        }
    }

    private mutating func makeRoom(for subject: ReputationSubject, now: Int64) -> Int {
        let fresh = Seen(subject: subject, counters: .zero, told: nil, asOf: now, toldAt: now)
        if seen.count < settings.subjectCount {
            seen.append(fresh)
            places[subject] = seen.count - 1
            return seen.count - 1
        }
        // The least of eight: a stranger's flood of new names pushes out mostly its own.
        var least = (place: hand, weight: Float.infinity)
        for _ in 0..<8 {
            hand = (hand + 1) % seen.count
            let weight = seen[hand].counters.total * Decay.factor(milliseconds: now - seen[hand].asOf)
            if weight < least.weight { least = (hand, weight) }
        }
        places[seen[least.place].subject] = nil
        seen[least.place] = fresh
        places[subject] = least.place
        return least.place
    }
}
