import MailValues
import NIOCore
import Synchronization

/// All sessions that are open, so that a stop can reach each one and wait for the last.
final class SessionRegistry: Sendable {
    private struct State {
        var sessions: [ObjectIdentifier: ServerHandler] = [:]
        var isDraining = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.sessions.count } }

    func add(_ session: ServerHandler) {
        let isDraining = state.withLock {
            $0.sessions[ObjectIdentifier(session)] = session
            return $0.isDraining
        }
        if isDraining { session.lane.run { session.drain() } }
    }

    func remove(_ session: ServerHandler) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.sessions[ObjectIdentifier(session)] = nil
            guard state.sessions.isEmpty else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Tells every session; those in a transaction end it first.
    func drain() {
        let sessions = state.withLock { state in
            state.isDraining = true
            return Array(state.sessions.values)
        }
        for session in sessions { session.lane.run { session.drain() } }
    }

    /// Sessions may begin and stay; whoever waited for the last one waits no longer.
    func resume() {
        let waiters = state.withLock { state in
            state.isDraining = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Ends what a drain has left over; does nothing if the drain was taken back.
    func cut() {
        let sessions = state.withLock { $0.isDraining ? Array($0.sessions.values) : [] }
        for session in sessions { session.lane.run { session.cut() } }
    }

    /// Returns when no session is left, or the drain was taken back.
    func ended() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                let isOver = state.sessions.isEmpty || !state.isDraining
                if !isOver { state.waiters.append(continuation) }
                return isOver
            }
            if isEmpty { continuation.resume() }
        }
    }
}
