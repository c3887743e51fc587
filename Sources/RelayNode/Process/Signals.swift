@preconcurrency import Dispatch
import Glibc

/// Where the handler writes the number of a signal.
private nonisolated(unsafe) var signalPipeEnd: Int32 = -1  // set once, before any handler is installed

/// Signals as calls: each is caught on a queue, so that handlers may do what a signal handler may not.
///
/// Through a pipe, and not through signal sources of Dispatch: those begin to listen some time after they are
/// activated, and a SIGTERM in between would be lost.
package final class Signals: Sendable {
    private let source: any DispatchSourceRead
    private let queue = DispatchQueue(label: "signals")

    /// One for a process, made on a thread that lives as long as it does.
    package init(_ handlers: [Int32: @Sendable () -> Void]) throws(NodeError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw NodeError("no descriptors are left: \(String(cString: strerror(errno)))")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let readingEnd = ends[0]
        signalPipeEnd = ends[1]
        source = DispatchSource.makeReadSource(fileDescriptor: readingEnd, queue: queue)
        source.setEventHandler {
            var numbers = [UInt8](repeating: 0, count: 64)
            let count = read(readingEnd, &numbers, numbers.count)
            for number in numbers.prefix(max(0, count)) { handlers[Int32(number)]?() }
        }
        source.activate()
        signal(SIGPIPE, SIG_IGN)
        for number in handlers.keys { Self.catchSignal(number) }
        Self.unblock(Array(handlers.keys))
    }

    /// Whoever started us may have left them blocked in all threads: this one hears them.
    private static func unblock(_ numbers: [Int32]) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static func catchSignal(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            let kept = errno
            var octet = UInt8(truncatingIfNeeded: number)
            // A full pipe means that there is enough to do already.
            _ = write(signalPipeEnd, &octet, 1)
            errno = kept
        }
        action.sa_flags = SA_RESTART
        sigaction(number, &action, nil)
    }

    deinit { source.cancel() }
}
