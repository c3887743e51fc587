import Glibc

/// Lines on their way from any thread to the writer, under one lock with conditions of its own.
///
/// `Mutex` has no condition to wait on, so this is pthread's; POSIX lets any thread use both concurrently,
/// and the content is touched under the lock only.
final class Waiting: @unchecked Sendable {
    struct Content {
        var octets: [UInt8] = []
        var lines = 0
        var dropped = 0
        /// Do not gather any longer.
        var isUrgent = false
        var mustReopen = false
        var isClosed = false

        var isIdle: Bool { octets.isEmpty && !mustReopen && !isClosed && dropped == 0 }
    }

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let turnEnd = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var content = Content()
    /// Memory of the write before, taken for the next.
    private var spare: [UInt8] = []
    private var turnsBegun = 0
    private var turnsEnded = 0

    init() {
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(arrival, &attributes)
        pthread_cond_init(turnEnd, nil)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(turnEnd)
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(lock)
        turnEnd.deallocate()
        arrival.deallocate()
        lock.deallocate()
    }

    /// `body` may say `signal` to wake the writer.
    func withLock<Result>(_ body: (_ content: inout Content, _ signal: () -> Void) -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body(&content, { pthread_cond_signal(arrival) })
    }

    /// Waits for something to do, gathers for a while, and takes all of it.
    func take(gatherMilliseconds: Int) -> Content {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while content.isIdle { pthread_cond_wait(arrival, lock) }
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        end.tv_nsec += gatherMilliseconds * 1_000_000
        end.tv_sec += end.tv_nsec / 1_000_000_000
        end.tv_nsec %= 1_000_000_000
        while !content.isUrgent, pthread_cond_timedwait(arrival, lock, &end) == 0 {}
        let taken = content
        content = Content()
        content.isClosed = taken.isClosed
        swap(&content.octets, &spare)
        turnsBegun += 1
        return taken
    }

    /// The work taken last is done; `octets` may hold the next lines.
    func finishTurn(recycling octets: consuming [UInt8]) {
        pthread_mutex_lock(lock)
        octets.removeAll(keepingCapacity: true)
        spare = octets
        turnsEnded += 1
        pthread_cond_broadcast(turnEnd)
        pthread_mutex_unlock(lock)
    }

    /// Returns when the writer has finished what waits now.
    func awaitTurn() {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        // What waits now is part of the next turn, or of the one after if one is being written.
        let target = content.isIdle || content.isClosed ? turnsBegun : turnsBegun + 1
        if target > turnsBegun {
            content.isUrgent = true
            pthread_cond_signal(arrival)
        }
        while turnsEnded < target { pthread_cond_wait(turnEnd, lock) }
    }
}
