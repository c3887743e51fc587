internal import COpenSSL

/// A certificate, key or authority that the operator gave cannot be used. Ours to mend; no peer hears of it.
package enum TLSConfigurationError: Error, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    /// Group or others may read the key.
    case keyNotPrivate(file: String, mode: UInt32)
    case noIdentity
    case badCertificate(name: String, reason: String)
    case badKey(name: String, reason: String)
    case keyDoesNotMatch(name: String)
    case badAuthorities(reason: String)
    /// The library refused something that does not depend on the operator.
    case library(reason: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
        case .keyNotPrivate(let file, let mode):
            "\(file) has mode 0\(String(mode, radix: 8)): others than its owner may read this key; chmod 600 it"
        case .noIdentity: "a listener with TLS needs at least one certificate"
        case .badCertificate(let name, let reason): "no certificate in \(name): \(reason)"
        case .badKey(let name, let reason): "no usable key for \(name): \(reason)"
        case .keyDoesNotMatch(let name): "the key does not belong to the certificate \(name)"
        case .badAuthorities(let reason): "no certificate authority: \(reason)"
        case .library(let reason): "OpenSSL: \(reason)"
        }
    }
}

/// A TLS session that did not come to be, or broke. `detail` is for the log: the peer gets an alert from
/// OpenSSL.
package enum TLSError: Error, Equatable {
    /// No common version or cipher, a malformed record, an alert; waiting seldom helps.
    case handshakeFailed(detail: String)
    /// The peer's certificate does not chain to an authority or does not bear the name.
    case certificateRefused(detail: String)
    /// The connection ended during the handshake.
    case connectionLost
    /// A record after the handshake was not authentic, or an alert came.
    case broken(detail: String)

    package var detail: String {
        switch self {
        case .handshakeFailed(let detail), .certificateRefused(let detail), .broken(let detail): detail
        case .connectionLost: "connection lost during the TLS handshake"
        }
    }
}

/// OpenSSL's errors of this thread.
enum LibraryErrors {
    /// The first reason in the queue, which is emptied: the root cause is the oldest.
    static func take() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return "no reason given" }
        if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
        return "error \(String(code, radix: 16))"
    }
}
