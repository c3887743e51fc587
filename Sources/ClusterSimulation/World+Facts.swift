import Convergence
import MailValues
import Membership

/// What the nodes of a simulation say to each other: a number, under a number.
struct Rumour: Fact {
    static let description = FactDescription(
        kind: FactKind(rawValue: 60_000), name: "rumour", isUrgent: true, lifetimeLongest: nil,
        bounds: FactBounds(keys: 1 << 16, octets: 1 << 22))

    var octets: [UInt8]

    static func octets(of subject: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: subject >> UInt32($0)) }
    }

    static func subject(_ octets: [UInt8]) -> UInt32? {
        octets.count == 4 ? octets.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    static func merge(_ said: [Said<Rumour>]) -> Int { said.count }
}

/// One fact that was said, and who knows it.
struct News {
    let origin: Int
    let incarnation: UInt64
    let saidAt: Int64
    /// Said while nothing was wrong, so that how soon it is known counts.
    let isTimed: Bool
    /// When its time is over, or it was taken back; `max`: it stays.
    var goneAt = Int64.max
}

extension World {
    /// The last seconds are for what was said before.
    static let sayingEnds: Int64 = 15_000_000
    private static let sayingBegins: Int64 = 15_000_000

    func planSaying() {
        guard let rate = scenario.factsPerSecond, rate > 0 else { return }
        let wait = Int64(1_000_000 / rate * (0.5 + chance.fraction()))
        let time = max(now, Self.sayingBegins) + wait
        if time < end - Self.sayingEnds { timeline.plan(.say, at: time) }
    }

    func say() {
        planSaying()
        let index = Int.random(in: 0..<nodeCount, using: &chance)
        guard let incarnation = processes[index].machine?.gossip?.replica.incarnation,
            processes[index].frozenSince == nil
        else { return }
        let subject = UInt32(news.count)
        let isTimed = isWhole && now > lastDeed + 10_000_000
        var fact = News(origin: index, incarnation: incarnation, saidAt: now, isTimed: isTimed)
        var lifetime: Duration?
        if let longest = scenario.factLifetime {
            let milliseconds = Int64(longest * 1_000 * (0.5 + chance.fraction() / 2))
            lifetime = .milliseconds(milliseconds)
            fact.goneAt = now + milliseconds * 1_000
        }
        if let share = scenario.factsTakenBack, chance.fraction() < share {
            let wait = chance.fraction() * (scenario.factLifetime ?? scenario.seconds) / 2
            timeline.plan(.takeBack(fact: news.count), at: now + Int64(wait * 1_000_000))
        }
        news.append(fact)
        figures.factsSaid += 1
        let clock = processes[index].clock(at: now)
        carryOut(index) { machine, wanted in
            let fact = Rumour(octets: Rumour.octets(of: subject) + [UInt8](repeating: 7, count: 60))
            do { try machine.say(fact, about: subject, lifetime: lifetime, now: clock, into: &wanted) } catch
            {
                preconditionFailure("a simulation says no more than it may: \(error)")
            }
        }
    }

    func takeBack(_ fact: Int) {
        let index = news[fact].origin
        guard processes[index].machine?.gossip?.replica.incarnation == news[fact].incarnation,
            processes[index].frozenSince == nil, now < news[fact].goneAt
        else { return }
        news[fact].goneAt = now
        let clock = processes[index].clock(at: now)
        carryOut(index) { $0.withdraw(Rumour.self, about: UInt32(fact), now: clock, into: &$1) }
    }

    func learn(_ changes: [FactChange], at index: Int) {
        for change in changes {
            switch change {
            case .said(_, let record, _) where record.key.kind == OrderFact.description.kind:
                if let value = record.value, let fact = OrderFact(octets: value) {
                    learn([.order(fact.order)], at: index)
                }
            case .said(let origin, let record, _):
                guard let subject = Rumour.subject(record.key.subject), Int(subject) < news.count else {
                    continue
                }
                hear(Int(subject), of: origin, at: index)
            case .withdrawn(_, let key):
                guard key.kind == Rumour.description.kind else { continue }
                if let subject = Rumour.subject(key.subject) { processes[index].gone.insert(subject) }
            case .forgotten: break
            }
        }
    }

    private func hear(_ subject: Int, of origin: NodeID, at index: Int) {
        let fact = news[subject]
        let isQuiet = isWhole && now > lastDeed + Self.quiet
        if processes[index].gone.contains(UInt32(subject)) {
            risen =
                risen
                ?? "node \(index) hears again what it had dropped, gone at \(Double(fact.goneAt) / 1_000_000) s"
        } else if isQuiet, fact.goneAt < now - Self.quiet {
            risen = risen ?? "node \(index) hears what was gone at \(Double(fact.goneAt) / 1_000_000) s"
        }
        guard fact.isTimed, isQuiet, let place = places[origin], place == fact.origin, place != index else {
            return
        }
        figures.factsKnown.append((now - fact.saidAt) / 1_000)
    }

    /// So long after a deed, or after a word, everybody is to know.
    static let quiet: Int64 = 10_000_000

    /// What a node still shows although it is gone; nil if nothing.
    func risen(at index: Int) -> String? {
        guard let replica = processes[index].machine?.gossip?.replica else { return nil }
        let uptime = processes[index].clock(at: now).uptime
        for (subject, fact) in news.enumerated() where fact.goneAt < now - Self.quiet {
            if !replica.statements(about: Rumour.key(UInt32(subject)), now: uptime).isEmpty {
                return "node \(index) shows what was gone at \(Double(fact.goneAt) / 1_000_000) s"
            }
        }
        return nil
    }

    /// What a node should know and does not; nil if nothing.
    func missing(at index: Int, saidBefore time: Int64) -> String? {
        guard let replica = processes[index].machine?.gossip?.replica else { return nil }
        for (subject, fact) in news.enumerated()
        where fact.saidAt < time && fact.goneAt > now + Self.quiet && isThere(fact.origin) {
            // What was said before its origin's last start is void.
            guard processes[fact.origin].machine?.gossip?.replica.incarnation == fact.incarnation else {
                continue
            }
            if replica.version(of: Rumour.key(UInt32(subject)), by: nodes[fact.origin]) == nil {
                let seconds = Double(fact.saidAt) / 1_000_000
                return "node \(index) lacks what node \(fact.origin) said at \(seconds) s"
            }
        }
        return nil
    }
}
