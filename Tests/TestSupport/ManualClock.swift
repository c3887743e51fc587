import Delivery
package import MailValues
import Synchronization

/// A clock that stands until somebody moves it; whoever sleeps wakes when the moment has come.
package final class ManualClock: DeliveryClock {
    private struct State {
        var now: Timestamp
        var sleepers: [(until: Timestamp, continuation: CheckedContinuation<Void, Never>)] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    package init(_ now: Timestamp = Timestamp(seconds: 1_800_000_000)) { state = Mutex(State(now: now)) }

    package var now: Timestamp { state.withLock { $0.now } }

    package func sleep(until moment: Timestamp) async {
        await withCheckedContinuation { continuation in
            let (isOver, watchers) = state.withLock { state in
                if state.now >= moment { return (true, [CheckedContinuation<Void, Never>]()) }
                state.sleepers.append((moment, continuation))
                defer { state.watchers.removeAll() }
                return (false, state.watchers)
            }
            if isOver { continuation.resume() }
            for watcher in watchers { watcher.resume() }
        }
    }

    package func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now = state.now + duration
            let now = state.now
            let woken = state.sleepers.filter { $0.until <= now }
            state.sleepers.removeAll { $0.until <= now }
            return woken
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    /// Returns once somebody sleeps: whoever was woken has done what he woke for.
    package func untilSomebodySleeps() async {
        await withCheckedContinuation { continuation in
            let isSo = state.withLock { state in
                if !state.sleepers.isEmpty { return true }
                state.watchers.append(continuation)
                return false
            }
            if isSo { continuation.resume() }
        }
    }
}
