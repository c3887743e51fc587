import Glibc

/// A thread that runs one function to its end.
///
/// Not a `Task`: it blocks in write(2), which no thread of the cooperative pool may.
struct WriterThread: Sendable {
    private let handle: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        var handle = pthread_t()
        let failure = pthread_create(
            &handle, nil,
            { pointer in
                let body = Unmanaged<Body>.fromOpaque(pointer!).takeRetainedValue()
                body.run()
                return nil
            }, box.toOpaque())
        precondition(failure == 0, "a process that starts can have one more thread")
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
