import Glibc

/// What a node says to whoever started it: a line on standard error, which systemd keeps. Everything else is
/// an event.
package enum NodeLog {
    package static func say(_ line: String) {
        let octets = Array("chapped: \(line)\n".utf8)
        _ = write(STDERR_FILENO, octets, octets.count)
    }
}
