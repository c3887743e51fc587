import Glibc
import Intake
import MailValues

/// A message that an operator has as a file, or on standard input.
enum MessageFile {
    /// `path` is a file, or `-`.
    static func fingerprints(_ path: String) throws -> [Fingerprint] {
        let found = MessageFingerprints.of(try read(path))
        guard !found.isEmpty else {
            throw Complaint(
                "\(Table.harmless(path)): too little text, and no file in it: nothing to tell a campaign by",
                .partial)
        }
        return found
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw problem(path) }
        defer { if path != "-" { close(descriptor) } }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw problem(path) }
            guard count > 0 else { return octets }
            guard octets.count + count <= MessageFingerprints.fileOctetsLongest else {
                throw Complaint(
                    "\(Table.harmless(path)): longer than \(MessageFingerprints.fileOctetsLongest >> 20) MiB",
                    .usage)
            }
            octets += chunk[..<count]
        }
    }

    private static func problem(_ path: String) -> Complaint {
        Complaint("\(Table.harmless(path)): \(String(cString: strerror(errno)))", .usage)
    }
}
