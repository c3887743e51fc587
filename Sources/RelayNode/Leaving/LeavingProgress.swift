package import MailValues
package import QueueEngine

/// How a leaving stands, for `chappe leave` and `status`.
package struct LeavingProgress: Sendable, Equatable {
    package var phase: Leaver.Phase = .staying
    /// Messages of this node that no other has yet, as far as the queue was read; marks of an earlier leaving among
    /// them.
    package var messagesLeft = 0
    /// Of those, the ones that were offered to an heir, or are about to be, so that this node does not attempt them.
    package var offered = 0
    /// Messages that an heir has acknowledged.
    package var handedOver = 0
    /// Recipients that were served here since it began.
    package var delivered = 0
    /// Recipients whose mail was returned here since it began.
    package var bounced = 0
    package var heirs: [NodeID: LeavingAccount.Share] = [:]
    /// Messages of heirs that an operator declared dead, which may have delivered them.
    package var possibleDuplicates = 0
    /// Messages taken over from others since the start.
    package var takenOver = 0
    /// For whom or what it waits.
    package var waitsFor: Leaver.Obstacle?
    /// What of the disk keeps it from going on, for people.
    package var obstacle: String?

    package init() {}

    /// Nobody knows yet where it ends.
    package var isUnderWay: Bool { phase != .staying && phase != .left }
}
