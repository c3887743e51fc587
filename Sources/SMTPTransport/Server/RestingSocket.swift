import Glibc
import MailValues

/// A port that stays ours while nobody listens on it: clients are refused at once and go to the next host.
///
/// A node that has given up root could not bind its port 25 a second time.
package final class RestingSocket: Sendable {
    private let handle: Int32
    private nonisolated(unsafe) var isGivenAway = false  // written once, before the one hand-over
    private let address: IPAddress
    private let port: UInt16

    /// Duplicates a listening descriptor. It goes on listening until `rest`.
    ///
    /// Nil: there are no descriptors left.
    init?(duplicating listening: Int32, address: IPAddress, port: UInt16) {
        handle = fcntl(listening, F_DUPFD_CLOEXEC, 0)
        self.address = address
        self.port = port
        guard handle >= 0 else {
            isGivenAway = true
            return nil
        }
    }

    deinit { if !isGivenAway { close(handle) } }

    /// Stops listening; those in the backlog are reset. The binding stays (Linux: shutdown(2) of a listening
    /// socket), unless the system chose the port.
    func rest() {
        // Two that both allow reuse may share a port on which neither listens: somebody else could take it.
        allowReuse(false)
        shutdown(handle, Int32(SHUT_RD))
    }

    private func allowReuse(_ isAllowed: Bool) {
        var value: Int32 = isAllowed ? 1 : 0
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Listens again.
    package func resume() throws(ListenError) -> BoundSocket {
        precondition(!isGivenAway, "a resting socket is resumed once")
        isGivenAway = true
        allowReuse(true)
        return try BoundSocket(resuming: handle, address: address, port: port)
    }
}
