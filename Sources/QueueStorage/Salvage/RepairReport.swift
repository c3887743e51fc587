package import MailValues

/// What a repair found, and what it could not bring back.
package struct RepairReport: Sendable, Equatable {
    /// A message that is not in the store any more, and why.
    package struct Gone: Sendable, Equatable {
        package var id: QueueID
        package var reason: String
        package init(id: QueueID, reason: String) {
            self.id = id
            self.reason = reason
        }
    }

    /// Messages in the store now; all of them held.
    package var messages = 0
    /// Messages of which something was found, but not all that is needed.
    package var gone: [Gone] = []
    /// What is wrong with which file.
    package var damages: [String] = []
    /// Octets of the logs that nobody can read: they may have held messages that have no name here.
    package var unreadableOctets = 0
    /// Octets of the logs that were synced and are not there any more; the same holds for them.
    package var missingLogOctets = 0
    /// Where the damaged store is now; nil: where it was.
    package var damagedStore: String?

    package init() {}

    /// Everything that was in the store is in it again.
    package var isComplete: Bool { gone.isEmpty && unreadableOctets == 0 && missingLogOctets == 0 }
}
