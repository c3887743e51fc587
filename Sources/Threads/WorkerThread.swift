import Glibc

/// A thread of our own, for what blocks: no thread of the cooperative pool and no event loop may.
///
/// Whoever starts one joins it or lets it go.
package final class WorkerThread: @unchecked Sendable {
    private var handle = pthread_t()

    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// `name` is what the system shows, at most fifteen octets of it.
    package init(name: String, _ run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        let result = pthread_create(
            &handle, nil,
            { argument in
                let body = Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
                setName(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        precondition(result == 0, "a process that may not start its few threads cannot serve mail")
    }

    package func join() { pthread_join(handle, nil) }

    /// It ends when its work does, and nobody waits for it.
    package func letGo() { pthread_detach(handle) }

    /// The calling thread sleeps; for spans far below those that a test could wait for.
    package static func nap(_ span: Duration) {
        let (seconds, attoseconds) = span.components
        var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        nanosleep(&left, nil)
    }
}

/// The name of the calling thread, for those who look at it from outside.
private func setName(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = name.withCString { write(file, $0, strlen($0)) }
    close(file)
}
