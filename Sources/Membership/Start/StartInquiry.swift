package import MailValues

/// Finds the incarnation of a start: before a node speaks, it asks two members what they last saw of it.
///
/// The store alone does not know: it may be a snapshot, or a disk that was wiped. And where the members still hear
/// somebody with this node's key, this process is the clone.
package struct StartInquiry: Sendable {
    package struct Settings: Sendable, Equatable {
        /// Members whose answers are waited for.
        package var answerCount = 2
        /// Without answers for so long, the store's word must do: the others may be down too.
        package var patience: Duration = .seconds(5)
        package var repetition: Duration = .seconds(1)
        /// Heard within this time: it may have been this node before it ended, so the question is repeated.
        package var aliveWindow: Duration = .seconds(3)
        /// Members that have left in order, as the store remembers it: nobody waits for their answers.
        package var absent: Set<NodeID> = []
        /// Where this node is reached now. Said beside each question: who is elsewhere than members know it would hear no answer.
        package var contact: LinkContact?

        package init() {}
    }

    package enum Event: Sendable {
        case tick
        case linkUp(NodeID)
        case linkDown(NodeID)
        case answer(LastSeen, from: NodeID)
    }

    package enum Action: Equatable, Sendable {
        case ask(NodeID)
        /// To be synced before anything is said. `storeIsOld`: others saw a later start than the store knows.
        case start(incarnation: UInt64, storeIsOld: Bool)
        /// Another process with this node's key is alive: end.
        case stopCloned
    }

    private enum State: Equatable {
        case asking
        case decided
    }

    private let stored: UInt64
    private let others: Set<NodeID>
    private let settings: Settings
    private let began: Uptime
    private var state = State.asking
    private var linked: Set<NodeID> = []
    /// The newest answer of each, and when it came.
    private var answers: [NodeID: (seen: LastSeen, at: Uptime)] = [:]
    private var firstAnswer: Uptime?
    /// Members that heard another process since we began to ask.
    private var living: Set<NodeID> = []
    package private(set) var wake: Uptime

    package init(stored: UInt64, others: Set<NodeID>, settings: Settings = Settings(), now: Uptime) {
        self.stored = stored
        self.others = others
        self.settings = settings
        began = now
        wake = now
    }

    package mutating func handle(_ event: Event, now: Uptime) -> [Action] {
        guard state == .asking else { return [] }
        switch event {
        case .linkUp(let peer):
            guard others.contains(peer), linked.insert(peer).inserted else { return [] }
            return [.ask(peer)]
        case .linkDown(let peer):
            linked.remove(peer)
            return []
        case .answer(let seen, let peer):
            guard others.contains(peer), Detector.isPlausible(seen.incarnation, after: stored) else {
                return []
            }
            take(seen, from: peer, now)
            return decide(now)
        case .tick:
            guard now >= wake else { return [] }
            wake = now + settings.repetition
            let decision = decide(now)
            return decision.isEmpty ? linked.sorted().map(Action.ask) : decision
        }
    }

    private mutating func take(_ seen: LastSeen, from peer: NodeID, _ now: Uptime) {
        answers[peer] = (seen, now)
        let first = firstAnswer ?? now
        firstAnswer = first
        // Heard after the first answer came: not this node before its end, for that was over by then.
        if let heardAgo = seen.heardAgo, seen.state.isPresent, now - heardAgo > first { living.insert(peer) }
    }

    private mutating func decide(_ now: Uptime) -> [Action] {
        let wanted = min(settings.answerCount, others.subtracting(settings.absent).count)
        let isLate = now - began >= settings.patience
        guard answers.count >= wanted || isLate else { return [] }
        // † Who reaches members and hears none of them is not where they know it: a copy of the machine, whose answers go to the
        // original, would else begin to deliver what the original delivers.
        guard !isDeaf else { return [] }
        // One member alone, taken over, must not keep others from starting.
        if wanted > 0, living.count >= wanted {
            state = .decided
            return [.stopCloned]
        }
        guard isLate || !answers.values.contains(where: { mayBeAlive($0.seen, answered: $0.at, now) }) else {
            return []
        }
        // † One member alone, taken over, must not make us hold our mail: where two contradict each other, a third is heard.
        let later = answers.values.count { $0.seen.incarnation > stored }
        let isTied = later > 0 && 2 * later == answers.count
        guard isLate || !isTied || answers.count >= others.count else { return [] }
        state = .decided
        let seen = answers.values.map(\.seen.incarnation).max() ?? 0
        return [
            .start(incarnation: max(stored, seen) + 1, storeIsOld: later > 0 && 2 * later >= answers.count)
        ]
    }

    /// It reaches members, and not one has answered.
    package var isDeaf: Bool { state == .asking && answers.isEmpty && !linked.isEmpty }

    private func mayBeAlive(_ seen: LastSeen, answered: Uptime, _ now: Uptime) -> Bool {
        guard let heardAgo = seen.heardAgo, seen.state.isPresent else { return false }
        return heardAgo + (now - answered) < settings.aliveWindow
    }
}
