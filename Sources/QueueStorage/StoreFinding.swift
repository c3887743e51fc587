package import MailValues

/// Octets of a store that are not what was written.
package struct StoreFinding: Error, Sendable, Hashable {
    package var file: String
    package var detail: String
    /// The message that they belong to, where that is known.
    package var id: QueueID?

    package init(file: String, detail: String, id: QueueID? = nil) {
        self.file = file
        self.detail = detail
        self.id = id
    }
}

extension StoreFinding: CustomStringConvertible {
    package var description: String {
        id.map { "\(file): \(detail) (message \($0))" } ?? "\(file): \(detail)"
    }
}
