import Foundation
import Glibc
import Synchronization

/// A host that answers each line of SMTP as a test says, on a port of its own; one connection after another.
final class ScriptedHost: Sendable {
    /// `inData`: the line is the final dot.
    typealias Script = @Sendable (_ line: String, _ inData: Bool) -> String

    let port: UInt16
    private let descriptor: CInt
    private let heard = Mutex<[String]>([])
    private let greeting: String

    /// Everything that was said to it, line by line.
    var lines: [String] { heard.withLock { $0 } }

    init(greeting: String = "220 scripted", _ script: @escaping Script) {
        self.greeting = greeting
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = bind(listener, address, size)
                _ = listen(listener, 256)
                _ = getsockname(listener, address, &size)
            }
        }
        descriptor = listener
        port = UInt16(bigEndian: name.sin_port)
        Thread.detachNewThread { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                serve(connection, script)
                close(connection)
            }
            // Here and not in `stop`: a number that was given back may already be another listener's.
            close(listener)
        }
    }

    func stop() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    private func serve(_ connection: CInt, _ script: Script) {
        say(greeting, connection)
        var line: [UInt8] = []
        var isData = false
        var octet: UInt8 = 0
        while recv(connection, &octet, 1, 0) == 1 {
            guard octet == 0x0A else {
                line.append(octet)
                continue
            }
            let text = String(decoding: line.last == 0x0D ? line.dropLast() : line[...], as: UTF8.self)
            line = []
            heard.withLock { $0.append(text) }
            if isData && text != "." { continue }
            let reply = script(text, isData)
            isData = !isData && reply.hasPrefix("354")
            say(reply, connection)
            if text == "QUIT" { return }
        }
    }

    private func say(_ text: String, _ connection: CInt) {
        let octets = Array((text + "\r\n").utf8)
        send(connection, octets, octets.count, CInt(MSG_NOSIGNAL))
    }
}
