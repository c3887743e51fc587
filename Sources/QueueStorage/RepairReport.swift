package import MailValues

/// What a repair found, and what it could not bring back.
package struct RepairReport: Sendable, Equatable {
    /// Messages in the store now; all of them held.
    package var messages = 0
    /// Messages of which the logs speak, neither removed nor there any more.
    package var gone: [QueueID] = []
    /// Octets of the logs that nobody can read: they may have held messages that have no name here.
    package var unreadableOctets = 0
    /// Envelopes in damaged tables were met: they are there for the rest of the walk, but cannot be read.
    package var damagedTables: [String] = []
    /// CURRENT was written anew.
    package var mendedCurrent = false
}
