import NIOCore
import SMTPProtocol

/// Why a connection failed, in words for logs and reports.
enum FailureText {
    static func of(_ error: any Error) -> String {
        switch error {
        case let error as TLSError: error.detail
        case let error as IOError: describe(error)
        case ChannelError.connectTimeout: "no answer in time"
        default: "\(error)"
        }
    }

    private static func describe(_ error: IOError) -> String {
        switch error.errnoCode {
        case 110: "connection timed out"
        case 111: "connection refused"
        case 104: "connection reset by the peer"
        case 113: "no route to host"
        case 101: "network is unreachable"
        case 99: "the source address is not ours"
        case 32: "the peer closed the connection"
        default: "\(error)"
        }
    }
}
