import Glibc
import MailValues

/// A file that a backup or a repair leaves in the store's directory: whoever opens it begins a new epoch,
/// held.
struct StoreMarker: Equatable, Sendable {
    static let fileName = "held"

    /// `restore` or `repair`.
    var by: String
    var reason: String

    static let restore = StoreMarker(
        by: "restore", reason: "restored from a backup: what is queued may have been delivered since")
    static let repair = StoreMarker(
        by: "repair", reason: "opened by a repair: some of what was delivered may seem queued")

    var text: String { "\(by)\n\(reason)\n" }

    init(by: String, reason: String) {
        self.by = by
        self.reason = reason
    }

    /// An unreadable marker still marks.
    init(parsing text: String) {
        let lines = text.split(separator: "\n")
        by = lines.first.map { String($0).printable(limit: 64) } ?? "restore"
        reason = lines.dropFirst().first.map { String($0).printable(limit: 256) } ?? Self.restore.reason
    }

    /// Durably: a copy whose marker is lost would deliver everything a second time.
    func write(into directory: String) -> Bool {
        let file = open("\(directory)/\(Self.fileName)", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        let octets = Array(text.utf8)
        guard octets.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == octets.count,
            fsync(file) == 0
        else { return false }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return fsync(folder) == 0
    }
}
