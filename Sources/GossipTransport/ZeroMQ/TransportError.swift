internal import CZeroMQ

/// Why a transport, or a part of it, could not be had.
package enum TransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The installation's: this libzmq was built without CURVE, and nothing is ever sent in the clear.
    case noEncryption
    /// The operator's: another program has the port, or the address is not of this machine.
    case cannotBind(endpoint: String, detail: String)
    /// The operator's or a peer's: a setting outside of its bounds.
    case badSetting(name: String, detail: String)
    /// The machine's: no descriptors, no memory, no threads.
    case libraryFailed(during: String, detail: String)

    package var description: String {
        switch self {
        case .noEncryption: "this libzmq cannot do CURVE; install one that can (zmq_has(\"curve\"))"
        case .cannotBind(let endpoint, let detail): "cannot bind \(endpoint): \(detail)"
        case .badSetting(let name, let detail): "\(name): \(detail)"
        case .libraryFailed(let during, let detail): "libzmq failed to \(during): \(detail)"
        }
    }

    /// What the calling thread's last call of the library ran into.
    static func last(during: String) -> TransportError {
        .libraryFailed(during: during, detail: lastText)
    }

    static var lastText: String { String(cString: zmq_strerror(zmq_errno())) }
}
