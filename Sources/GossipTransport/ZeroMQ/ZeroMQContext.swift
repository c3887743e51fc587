internal import CZeroMQ

/// One context of libzmq with one I/O thread, ended when its last socket is gone.
///
/// zmq(7), "Contexts": a context may be used from any thread.
final class ZeroMQContext: @unchecked Sendable {
    let raw: UnsafeMutableRawPointer

    init() throws(TransportError) {
        guard Self.encrypts else { throw .noEncryption }
        guard let raw = zmq_ctx_new() else { throw .last(during: "make a context") }
        self.raw = raw
    }

    deinit {
        // Blocks until the I/O thread has let go of everything, which LINGER 0 makes quick.
        while zmq_ctx_term(raw) != 0, zmq_errno() == EINTR {}
    }

    /// Whether the library was built with CURVE.
    static var encrypts: Bool { zmq_has("curve") == 1 }
}
