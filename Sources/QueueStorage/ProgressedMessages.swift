import MailValues

/// Which messages may have progress or an amendment on disk, so that the removal of all others need not
/// delete any.
///
/// Most messages are delivered at the first attempt and never have progress: a delete for each would reach
/// the tables.
struct ProgressedMessages {
    private let openedAt: Timestamp
    private var ids: Set<QueueID> = []

    /// What an earlier process may have written is unknown: messages accepted before `openedAt` count as
    /// progressed.
    init(openedAt: Timestamp) { self.openedAt = openedAt }

    mutating func insert(_ id: QueueID) {
        if !isFromBefore(id) { ids.insert(id) }
    }

    /// Whether the message may have had any.
    mutating func remove(_ id: QueueID) -> Bool {
        isFromBefore(id) || (!ids.isEmpty && ids.remove(id) != nil)
    }

    private func isFromBefore(_ id: QueueID) -> Bool { id.time <= openedAt }
}
