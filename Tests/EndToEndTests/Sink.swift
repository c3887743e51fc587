import Glibc
import Synchronization

/// The host that mail goes to: keeps what it takes, or says nothing at all.
final class Sink: @unchecked Sendable {
    // @unchecked: the socket is set once; the rest is behind the mutex.
    let port: UInt16
    private let handle: Int32
    private struct State {
        var isSilent: Bool
        var messages: [String] = []
        var connections = 0
        /// Behind the content it takes there is no reply.
        var owesReply = false
    }
    private let state: Mutex<State>

    init(isSilent: Bool = false) throws {
        let handle = try Loopback.socket()
        self.handle = handle
        state = Mutex(State(isSilent: isSilent))
        guard Loopback.with(0, { bind(handle, $0, $1) }) == 0, listen(handle, 128) == 0 else {
            throw Failure("no port for the sink")
        }
        port = Loopback.port(of: handle)
        Threads.start { [self] in
            while case let client = accept(handle, nil, nil), client >= 0 {
                Threads.start { [self] in serve(Wire(handle: client)) }
            }
        }
    }

    /// Wakes the thread that accepts; those that serve end with their peers.
    func stop() {
        shutdown(handle, Int32(SHUT_RDWR))
        close(handle)
    }

    var messages: [String] { state.withLock { $0.messages } }
    var connections: Int { state.withLock { $0.connections } }

    /// From now on it takes content and answers nothing to it.
    func oweReplies() { state.withLock { $0.owesReply = true } }

    func speak() { state.withLock { $0.isSilent = false } }

    func wait(for count: Int) throws {
        try Waiting.until("\(count) messages at the sink, where \(messages.count) are") {
            messages.count >= count
        }
    }

    private func serve(_ wire: Wire) {
        let isSilent = state.withLock { state in
            state.connections += 1
            return state.isSilent
        }
        if isSilent {
            while wire.line() != nil {}
            return
        }
        wire.send("220 sink\r\n")
        while let line = wire.line() {
            let verb = String(decoding: line.prefix(4), as: UTF8.self).uppercased()
            switch verb {
            case "EHLO": wire.send("250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            case "DATA":
                wire.send("354 go\r\n")
                guard let content = content(wire) else { return }
                state.withLock { $0.messages.append(content) }
                if state.withLock({ $0.owesReply }) { continue }
                wire.send("250 2.0.0 taken\r\n")
            case "QUIT":
                wire.send("221 bye\r\n")
                return
            default: wire.send("250 ok\r\n")
            }
        }
    }

    /// Up to the dot, dots removed.
    private func content(_ wire: Wire) -> String? {
        var octets: [UInt8] = []
        while let line = wire.line() {
            if line == Array(".\r\n".utf8) { return String(decoding: octets, as: UTF8.self) }
            octets += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
        }
        return nil
    }
}
