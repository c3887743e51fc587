package import Convergence
package import MailValues

/// Finds out which words others hold and we do not, or the other way round, and evens it out.
///
/// † Facts are repaired by marks, and who carries another's facts may say of a range that it is empty. So a member that
/// was away could be kept for ever from an order, its carrier's eviction among them. Words prove themselves: here they are
/// compared as sets, whoever said them and whatever the marks say, with every member in turn. What one member hides,
/// any other brings; and who claims to hold what it does not costs a message now and then.
package struct WordExchange: Sendable {
    /// A member that holds other words than we, as it says.
    private struct Doubt: Sendable {
        var sums: WordSums
        var due: Uptime
        var wait: Duration
        /// Our own sums when we compared last.
        var compared: WordSums?
    }

    private struct Allowance: Sendable {
        var octets: Int
        var at: Uptime
    }

    private let settings: WordSettings
    package private(set) var book: WordBook
    private var doubts: [NodeID: Doubt] = [:]
    private var allowances: [NodeID: Allowance] = [:]

    package init(_ book: WordBook, settings: WordSettings = WordSettings()) {
        self.book = book
        self.settings = settings
    }

    /// What rides along with each round of gossip.
    package mutating func sums(now: ClockReading) -> WordSums { book.sums(now: now.wall) }

    /// The house believes this one: it came as a fact, at the door, or from the operator.
    package mutating func keep(_ word: Word, now: ClockReading) { _ = book.take(word, now: now.wall) }

    /// Who is no member, or not linked, is not compared with.
    package mutating func forget(where isGone: (NodeID) -> Bool) {
        doubts = doubts.filter { !isGone($0.key) }
        allowances = allowances.filter { !isGone($0.key) }
    }

    /// The link is down; what was sent of late still counts.
    package mutating func lose(_ peer: NodeID) { doubts[peer] = nil }

    // MARK: Comparing

    /// Somebody holds other words than we, as it says.
    package var isInDoubt: Bool { !doubts.isEmpty }

    package mutating func hear(_ sums: WordSums, from peer: NodeID, now: ClockReading) {
        guard sums != self.sums(now: now) else {
            doubts[peer] = nil
            return
        }
        if doubts[peer] == nil {
            doubts[peer] = Doubt(sums: sums, due: now.uptime + settings.patience, wait: settings.patience)
        }
        doubts[peer]?.sums = sums
    }

    /// With whom to compare now, and what to tell them.
    package mutating func openings(now: ClockReading) -> [(peer: NodeID, message: WordMessage)] {
        guard !doubts.isEmpty else { return [] }
        let own = sums(now: now)
        var openings: [(NodeID, WordMessage)] = []
        for peer in doubts.keys.sorted() {
            guard var doubt = doubts[peer], doubt.due <= now.uptime else { continue }
            guard doubt.sums != own else {
                doubts[peer] = nil
                continue
            }
            let hasLearnt = doubt.compared.map { $0 != own } ?? true
            doubt.wait = hasLearnt ? settings.patience : min(doubt.wait * 2, settings.patienceLongest)
            doubt.due = now.uptime + doubt.wait
            doubt.compared = own
            doubts[peer] = doubt
            var message = WordMessage()
            for kind in Word.Kind.allCases where own[kind] != doubt.sums[kind] {
                message.parts += held(kind, 0 ... .max, asks: true, now)
            }
            openings.append((peer, message))
        }
        return openings
    }

    /// What we hold in a range: each id, or of too many the sums of its parts.
    private mutating func held(
        _ kind: Word.Kind, _ range: ClosedRange<UInt64>, asks: Bool, _ now: ClockReading
    ) -> [WordMessage.Part] {
        let shelf = book.shelf(kind, now: now.wall)
        let width = range.upperBound - range.lowerBound
        guard shelf.count(of: range) > settings.idsListed, width >= UInt64(settings.fanOut) else {
            return [WordMessage.Part(kind, range, .ids(shelf.ids(in: range), asks: asks))]
        }
        let step = width / UInt64(settings.fanOut) + 1
        var parts: [WordMessage.Part] = []
        var first = range.lowerBound
        while true {  // ends: each part begins behind the last
            let (end, isOver) = first.addingReportingOverflow(step - 1)
            let last = isOver ? range.upperBound : min(end, range.upperBound)
            parts.append(WordMessage.Part(kind, first...last, .sum(shelf.sum(of: first...last))))
            guard last < range.upperBound else { return parts }
            first = last + 1
        }
    }

    // MARK: Hearing

    package struct Outcome: Sendable {
        package var reply: WordMessage?
        /// What we did not know; each proves itself.
        package var news: [Word] = []
        /// Words that proved nothing.
        package var refused = 0
    }

    package mutating func receive(_ message: WordMessage, from peer: NodeID, now: ClockReading) -> Outcome {
        var outcome = Outcome()
        for word in message.words where outcome.refused < settings.refusalsMost {
            switch book.take(word, now: now.wall) {
            case .taken: outcome.news.append(word)
            case .known: break
            case .refused: outcome.refused += 1
            }
        }
        var left = allowance(of: peer, now.uptime)
        guard left > 0, !message.parts.isEmpty else { return outcome }
        let reply = answer(message.parts, within: min(left, settings.wordsOctets), now)
        guard !reply.isEmpty else { return outcome }
        left -= reply.sizeOctets
        allowances[peer] = Allowance(octets: left, at: now.uptime)
        outcome.reply = reply
        return outcome
    }

    private mutating func answer(
        _ parts: [WordMessage.Part], within octets: Int, _ now: ClockReading
    ) -> WordMessage {
        var reply = WordMessage()
        var left = octets
        for part in parts.prefix(settings.partsMost + settings.fanOut) {
            guard reply.parts.count < settings.partsMost else { break }
            let shelf = book.shelf(part.kind, now: now.wall)
            switch part.held {
            case .sum(let sum):
                guard sum != shelf.sum(of: part.range) else { continue }
                reply.parts += held(part.kind, part.range, asks: true, now)
            case .ids(let ids, let asks):
                let theirs = Set(ids)
                for (id, word) in shelf.words(in: part.range) where !theirs.contains(id) {
                    guard left > 0 else { break }
                    reply.words.append(word)
                    left -= word.octets.count
                }
                if asks, !theirs.allSatisfy(shelf.contains) {
                    // Not asking again: else two of which one cannot take what it lacks would go on for ever.
                    reply.parts += held(part.kind, part.range, asks: false, now)
                }
            }
        }
        return reply
    }

    private func allowance(of peer: NodeID, _ now: Uptime) -> Int {
        guard let held = allowances[peer] else { return settings.allowanceOctets }
        let seconds = Double((now - held.at).wholeMilliseconds) / 1_000
        let regained = Double(settings.allowanceOctetsPerSecond) * min(seconds, 3_600)
        return min(settings.allowanceOctets, held.octets + Int(regained))
    }
}

extension WordMessage {
    /// About what it weighs on the wire, and what it costs to write.
    fileprivate var sizeOctets: Int {
        let listed = parts.reduce(0) { sum, part in
            guard case .ids(let ids, _) = part.held else { return sum + 32 }
            return sum + 32 + 8 * ids.count
        }
        return 128 + listed + words.reduce(0) { $0 + $1.octets.count }
    }
}
