internal import CZeroMQ

/// The handler that libzmq asks about every handshake (RFC 27/ZAP of ZeroMQ), at `inproc://zeromq.zap.01`.
///
/// It is asked once for each connection and never again: whoever is to lose his right must lose the
/// connection too.
struct Authentication: ~Copyable {
    struct Request: Equatable {
        /// Which of our sockets was knocked at.
        var domain: String
        /// The other end's IP address, as text.
        var address: String
        var key: LinkKey
    }

    enum Answer: Equatable {
        /// The connection's messages bear this name from now on.
        case accept(userID: String)
        /// The other end is told, and makes no further attempt of its own.
        case refuse
        /// The connection ends without a word.
        case later
    }

    private let socket: ZeroMQSocket

    /// Must come before any socket binds: a listener without a handler lets everybody in who knows its key.
    init(in context: ZeroMQContext) throws(TransportError) {
        let socket = try ZeroMQSocket(.reply, in: context)
        guard try socket.bind("inproc://zeromq.zap.01") else {
            throw .libraryFailed(during: "authenticate", detail: "the context has a handler already")
        }
        self.socket = socket
    }

    func join(_ set: inout ZeroMQPollSet) { set.add(socket) }

    /// Answers one request, if one waits.
    func answerNext(_ message: ZeroMQMessage, by decide: (Request?) -> Answer) -> Bool {
        guard let parts = socket.receiveParts(message, limit: 7) else { return false }
        let answer = decide(Self.request(parts))
        let (code, userID) =
            switch answer {
            case .accept(let userID): ("200", userID)
            case .refuse: ("400", "")
            case .later: ("300", "")
            }
        let version = Array("1.0".utf8)
        _ = socket.sendPart(version)
        _ = socket.sendPart(parts.count > 1 ? parts[1] : [])
        _ = socket.sendPart(Array(code.utf8))
        _ = socket.sendPart([])
        _ = socket.sendPart(Array(userID.utf8))
        _ = socket.sendLast([])
        return true
    }

    /// Version, request id, domain, address, routing id, mechanism, credentials: for CURVE the client's key.
    /// Nil for all else.
    private static func request(_ parts: [[UInt8]]) -> Request? {
        guard parts.count == 7, parts[0] == Array("1.0".utf8), parts[5] == Array("CURVE".utf8),
            let key = LinkKey(octets: parts[6])
        else { return nil }
        return Request(
            domain: String(decoding: parts[2], as: UTF8.self),
            address: String(decoding: parts[3], as: UTF8.self), key: key)
    }
}
