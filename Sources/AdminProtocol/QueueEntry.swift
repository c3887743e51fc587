/// A message in the queue, as an operator sees it.
package struct QueueEntry: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        /// Due.
        case waiting
        /// An attempt is in hand.
        case active
        /// Waits for a moment: it was tried, or its destination is known to take nothing now.
        case deferred
        /// Waits for an operator.
        case held
    }

    package struct Hold: Codable, Hashable, Sendable {
        package var by: String
        package var reason: String
        package var since: Moment
        package init(by: String, reason: String, since: Moment) {
            self.by = by
            self.reason = reason
            self.since = since
        }
    }

    package struct Recipient: Codable, Hashable, Sendable {
        package enum State: String, Codable, Sendable, CaseIterable {
            case waiting, delivered, bounced, deleted
        }
        package var address: String
        package var state: State
        package var attempts: Int
        package var nextAttempt: Moment?
        package var lastAttempt: Moment?
        package var lastHost: String?
        package var lastReply: String?

        package init(
            address: String, state: State, attempts: Int = 0, nextAttempt: Moment? = nil,
            lastAttempt: Moment? = nil,
            lastHost: String? = nil, lastReply: String? = nil
        ) {
            self.address = address
            self.state = state
            self.attempts = attempts
            self.nextAttempt = nextAttempt
            self.lastAttempt = lastAttempt
            self.lastHost = lastHost
            self.lastReply = lastReply
        }

        /// What follows the last `@`.
        package var domain: Substring {
            address.lastIndex(of: "@").map { address[address.index(after: $0)...] } ?? ""
        }
    }

    package var id: String
    package var state: State
    package var acceptedAt: Moment
    /// Empty: the null reverse-path.
    package var sender: String
    package var sizeOctets: Int
    package var listener: String
    package var client: String?
    package var account: String?
    package var priority: Int
    package var hold: Hold?
    /// The node that it was offered to, because this one leaves the cluster: 64 hexadecimal digits. It waits there for
    /// the answer, and here for nothing else.
    package var offeredTo: String?
    package var notBefore: Moment?
    package var deadline: Moment?
    package var nextAttempt: Moment?
    /// What keeps its destination from taking mail, as the last connection to it found; the message itself need not
    /// have been tried.
    package var obstacle: String?
    package var obstacleHost: String?
    package var recipients: [Recipient]

    package init(
        id: String, state: State, acceptedAt: Moment, sender: String, sizeOctets: Int, listener: String,
        client: String? = nil, account: String? = nil, priority: Int = 0, hold: Hold? = nil,
        notBefore: Moment? = nil,
        deadline: Moment? = nil, nextAttempt: Moment? = nil, obstacle: String? = nil,
        obstacleHost: String? = nil, offeredTo: String? = nil, recipients: [Recipient]
    ) {
        self.id = id
        self.state = state
        self.acceptedAt = acceptedAt
        self.sender = sender
        self.sizeOctets = sizeOctets
        self.listener = listener
        self.client = client
        self.account = account
        self.priority = priority
        self.hold = hold
        self.notBefore = notBefore
        self.deadline = deadline
        self.nextAttempt = nextAttempt
        self.obstacle = obstacle
        self.obstacleHost = obstacleHost
        self.offeredTo = offeredTo
        self.recipients = recipients
    }
}

extension QueueEntry {
    /// Why it is held, as people read it: by whom, or to whom it was offered.
    package var holdText: String? {
        hold.map { "\($0.by): \($0.reason)" }
            ?? offeredTo.map {
                "leaving: offered to node \($0.prefix(Self.nodeDigitsShown)), which has not answered yet"
            }
    }
    /// Enough to tell nodes apart.
    private static let nodeDigitsShown = 16

    /// The obstacle as people read it.
    package var obstacleText: String? {
        obstacle.map { reply in obstacleHost.map { "\($0): \(reply)" } ?? reply }
    }
}

/// One message, and the schema number.
package struct QueueEntryAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var entry: QueueEntry
    package init(entry: QueueEntry) { self.entry = entry }
}

/// Some messages in order of acceptance, and where to go on.
package struct QueuePage: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var entries: [QueueEntry]
    /// Given back as `cursor` for the next page; nil at the end.
    package var next: String?
    package init(entries: [QueueEntry], next: String? = nil) {
        self.entries = entries
        self.next = next
    }
}
