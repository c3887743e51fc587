/// What an operator can do to messages in the queue.
package enum QueueAction: String, Codable, Sendable, CaseIterable {
    /// No attempt until released.
    case hold
    case release
    /// Due now.
    case retry
    /// Given up: the sender hears of it.
    case bounce
    /// Gone: nobody hears of it.
    case delete

    /// Cannot be taken back.
    package var isFinal: Bool { self == .bounce || self == .delete }
}

/// The body of `POST /v1/queue/<action>`.
package struct QueueChangeRequest: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var filter: QueueFilter
    /// Why; goes into events, holds and, of a bounce, not to the sender.
    package var reason: String
    /// Count, and change nothing.
    package var dryRun: Bool

    package init(filter: QueueFilter, reason: String, dryRun: Bool = false) {
        self.filter = filter
        self.reason = reason
        self.dryRun = dryRun
    }
}

/// What became of it.
package struct QueueChangeAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var action: QueueAction
    package var dryRun: Bool
    /// Messages that fit the filter.
    package var matched: Int
    /// Messages changed; fewer than `matched` where an attempt was in hand or nothing was to be done.
    package var changed: Int
    /// Messages that it does not change as they stand: a hold those that are held, a release those that are not, a retry those
    /// that are held. Nil from a node of an earlier release.
    package var inapplicable: Int?
    /// Some of them, at most a hundred.
    package var ids: [String]

    package init(
        action: QueueAction, dryRun: Bool, matched: Int, changed: Int, inapplicable: Int? = nil, ids: [String]
    ) {
        self.action = action
        self.dryRun = dryRun
        self.matched = matched
        self.changed = changed
        self.inapplicable = inapplicable
        self.ids = ids
    }
}
