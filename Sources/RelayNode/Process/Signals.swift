@preconcurrency import Dispatch
import Glibc

/// Signals as calls: each is caught on a queue, so that handlers may do what a signal handler may not.
package final class Signals: Sendable {
    private let sources: [any DispatchSourceSignal]
    private let queue = DispatchQueue(label: "signals")

    package init(_ handlers: [Int32: @Sendable () -> Void]) {
        signal(SIGPIPE, SIG_IGN)
        var sources: [any DispatchSourceSignal] = []
        for (number, handler) in handlers {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: handler)
            source.activate()
            sources.append(source)
        }
        self.sources = sources
    }

    deinit { for source in sources { source.cancel() } }
}
