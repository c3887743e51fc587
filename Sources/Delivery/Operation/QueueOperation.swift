package import MailValues
package import QueueEngine

/// What an operator, or a verdict, does to messages in the queue.
package enum QueueOperation: String, Sendable, CaseIterable {
    /// No attempt until released.
    case hold
    case release
    /// Due now, and its site is looked at again.
    case retry
    /// Given up: the sender hears of it.
    case bounce
    /// Gone: nobody hears of it.
    case delete
}

/// Who does it, and why; both are recorded.
package struct OperationOrder: Sendable {
    package var operation: QueueOperation
    /// `operator:0`, `verdict:…`.
    package var by: String
    package var reason: String
    /// Count, and change nothing.
    package var isDryRun: Bool
    /// With a release: a verdict that holds a message, and these, hold it no more. Nil: it is the verdict's own release.
    package var overruled: Set<Fingerprint>?

    package init(
        _ operation: QueueOperation, by: String, reason: String, isDryRun: Bool = false,
        overruling overruled: Set<Fingerprint>? = nil
    ) {
        self.overruled = overruled
        self.operation = operation
        self.by = by
        self.reason = reason
        self.isDryRun = isDryRun
    }
}

/// What became of it.
package struct OperationReport: Sendable, Equatable {
    /// Messages that were meant.
    package var matched = 0
    /// Messages changed.
    package var changed = 0
    /// Messages left alone because an attempt was in hand.
    package var busy = 0
    /// Messages to which it does not apply: held already, not held, or held and therefore not to be tried.
    package var inapplicable = 0
    /// The changed ones, or with a dry run those that would be, at most `idLimit`.
    package var ids: [QueueID] = []

    package static let idLimit = 100

    mutating func count(_ id: QueueID) {
        changed += 1
        if ids.count < Self.idLimit { ids.append(id) }
    }
}

package enum OperationError: Error, Sendable, Equatable {
    /// The queue is still being read after a start; in seconds it is done.
    case notYetRead
    case store(StoreError)
}

/// A message of the queue with its place in the schedule.
package struct QueueItem: Sendable {
    package enum State: Sendable, Equatable {
        /// Due.
        case waiting
        case inFlight
        /// Waits for a moment: it was tried, or its destination is known to take nothing now.
        case deferred
        case held
    }
    package var envelope: Envelope
    package var state: State
    /// When the first of its entries goes on; nil where none waits for a moment.
    package var nextAttempt: Timestamp?
    /// What last kept the destination of a waiting entry from taking mail, this message's or another's.
    package var obstacle: (reply: Reply, host: String?)?
}

/// Which messages are looked at.
package enum QueueSelection: Sendable {
    case all
    case ids([QueueID])
}
