import DequeModule
import MailValues
import QueueEngine

extension DispatchState {
    /// How long the failure of a message's one destination waits for that of its others, so that the sender
    /// gets one report of all. A crash meanwhile costs no more than asking again who refused before.
    static let gatheringPause: Duration = .seconds(5)

    /// Has something settled without a connection: at once, or together with what else ends of its message.
    mutating func settle(_ matter: Matter, now: Timestamp, _ effects: inout Effects) {
        let id = matter.work.id
        if gathered[id] == nil {
            guard mayEndWithOthers(matter.work.slot), isEnd(matter, now: now) else {
                matters.append([matter])
                startSettlers(&effects)
                return
            }
            gathering.append((now + Self.gatheringPause, id))
        }
        gathered[id, default: []].append(matter)
        if !isMoreUnderWay(of: id) { endGathering(of: id, &effects) }
    }

    /// An entry of the message is no longer under way: perhaps it was the last that was waited for.
    mutating func siblingEnded(of id: QueueID, _ effects: inout Effects) {
        guard gathered[id] != nil, !isMoreUnderWay(of: id) else { return }
        endGathering(of: id, &effects)
    }

    /// Nothing is waited for any more: what hosts have said is settled, the rest is found again at the next
    /// start.
    mutating func endAllGatherings(_ effects: inout Effects) {
        gathering.removeAll()
        for id in gathered.keys { endGathering(of: id, &effects) }
        matters.removeAll { !$0.contains(where: \.isAnswer) }
    }

    /// What has been waited for long enough is settled.
    mutating func endGatherings(now: Timestamp, _ effects: inout Effects) {
        while let first = gathering.first, first.until <= now {
            gathering.removeFirst()
            endGathering(of: first.id, &effects)
        }
    }

    private mutating func endGathering(of id: QueueID, _ effects: inout Effects) {
        guard let all = gathered.removeValue(forKey: id) else { return }
        matters.append(all)
        startSettlers(&effects)
    }

    /// Whether its message has other entries: their failures go into one report.
    func mayEndWithOthers(_ slot: Slot) -> Bool { !isStopping && !scheduler.isOnly(slot) }

    /// Whether the sender is to hear of it now.
    private func isEnd(_ matter: Matter, now: Timestamp) -> Bool {
        switch matter.cause {
        case .never, .returned, .answered, .overdue: true
        case .failed: scheduler.isOverdue(matter.work.slot, now: now)
        }
    }

    /// Whether an entry of the message beside those gathered is being tried, or about to be.
    private func isMoreUnderWay(of id: QueueID) -> Bool {
        let slots = scheduler.slots(of: id)
        let active = slots.filter { slot in
            switch scheduler.view(slot).place {
            case .inFlight, .ready: true
            case .waiting, .held: false
            }
        }
        return active.count > gathered[id]?.count ?? 0
    }

    mutating func startSettlers(_ effects: inout Effects) {
        while settlerCount < 8, settlerCount < matters.count {
            settlerCount += 1
            effects.jobs.append(.settle)
        }
    }
}
