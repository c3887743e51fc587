package import MailValues
import QueueEngine
import Synchronization

extension Dispatcher {
    /// What came of giving messages out of the schedule.
    package struct Relinquished: Sendable, Equatable {
        /// Attempted no more, until they arrive again.
        package var fit: [QueueID] = []
        /// An attempt, or an operator's order, is in hand: nothing was done.
        package var busy: [QueueID] = []
        /// Not in the schedule: done, or somebody else's already.
        package var gone: [QueueID] = []
    }

    /// Takes messages out of the schedule, whatever their place in it: another node is to have them.
    ///
    /// They come back by `arrived`. Before `isRebuilt` a message that is not in the schedule may yet come into it.
    package func relinquish(_ ids: [QueueID]) -> Relinquished {
        state.withLock { state in
            var answer = Relinquished()
            for id in ids {
                if !state.scheduler.knows(id) {
                    answer.gone.append(id)
                } else if state.relinquish(id) {
                    answer.fit.append(id)
                } else {
                    answer.busy.append(id)
                }
            }
            return answer
        }
    }

    /// Whether everything that the store held at the start is scheduled.
    package var isRebuilt: Bool { state.withLock { $0.isRebuilt } }
}

extension DispatchState {
    fileprivate mutating func relinquish(_ id: QueueID) -> Bool {
        guard !amending.contains(id), let slots = scheduler.seize(id) else { return false }
        for slot in slots {
            _ = fresh.take(slot)
            scheduler.finish(slot)
        }
        return true
    }
}
