package import MailValues
package import SMTPProtocol

/// Everything that the queue knows of a message besides its octets.
package struct Envelope: Sendable, Equatable {
    package var id: QueueID
    package var acceptedAt: Timestamp
    package var reversePath: ReversePath
    package var recipients: [Recipient]
    /// Octets of the content as stored, our trace header included.
    package var sizeOctets: Int
    /// 0: the content is one value. n: it was written ahead as n chunks, with `digest` over all.
    package var chunkCount: UInt32 = 0
    /// SHA-256 over the content; kept for chunked content only.
    package var digest: [UInt8] = []
    package var body: MailCommand.Body?
    package var smtpUTF8 = false
    package var hasEightBit = false
    package var repairedLineEnds = false
    package var dsnReturn: MailCommand.Return?
    package var dsnEnvelopeID: String?
    /// How it came: listener, client, account.
    package var origin: Origin
    /// −9 … 9, higher first (RFC 6710 §3).
    package var priority: Int8 = 0
    package var hold: Hold?
    package var notBefore: Timestamp?
    /// Undelivered at this time, it is returned.
    package var deadline: Timestamp?
    /// When the sender was last told of delay.
    package var delayNotifiedAt: Timestamp?
    /// What tells its campaign, where verdicts are asked for; the queue is indexed by them.
    package var fingerprints: [Fingerprint] = []
    /// Offered to another node by this one, which leaves: it is attempted here no more, whatever is heard or
    /// not, until that node has answered (`Leaver`).
    package var offered: Handover?
    /// Taken over from a node that left, in that leaving.
    package var adopted: Handover?

    /// The other side of a message's way from node to node, and in which of the leaver's leavings.
    package struct Handover: Sendable, Hashable {
        package var node: NodeID
        package var epoch: UInt64
        package init(_ node: NodeID, epoch: UInt64) {
            self.node = node
            self.epoch = epoch
        }
    }

    package struct Origin: Sendable, Equatable {
        package var listener: String
        package var client: IPAddress?
        package var account: String?
        package init(listener: String, client: IPAddress? = nil, account: String? = nil) {
            self.listener = listener
            self.client = client
            self.account = account
        }
    }

    package struct Hold: Sendable, Equatable {
        /// Who: `operator:0`, `restore`, `verdict:…`.
        package var by: String
        package var reason: String
        package var since: Timestamp
        package init(by: String, reason: String, since: Timestamp) {
            self.by = by
            self.reason = reason
            self.since = since
        }
    }

    package init(
        id: QueueID, acceptedAt: Timestamp, reversePath: ReversePath, recipients: [Recipient],
        sizeOctets: Int, origin: Origin
    ) {
        self.id = id
        self.acceptedAt = acceptedAt
        self.reversePath = reversePath
        self.recipients = recipients
        self.sizeOctets = sizeOctets
        self.origin = origin
    }
}

package struct Recipient: Sendable, Equatable {
    package var mailbox: Mailbox
    package var notify: DSNNotify?
    package var originalRecipient: String?
    package var progress: Progress

    package init(
        mailbox: Mailbox, notify: DSNNotify? = nil, originalRecipient: String? = nil,
        progress: Progress = Progress()
    ) {
        self.mailbox = mailbox
        self.notify = notify
        self.originalRecipient = originalRecipient
        self.progress = progress
    }

    /// What was tried for one recipient, durable after each attempt.
    package struct Progress: Sendable, Equatable {
        package enum State: UInt8, Sendable { case waiting, delivered, bounced, deleted }
        package var state: State = .waiting
        package var attempts: UInt32 = 0
        package var nextAttempt: Timestamp?
        /// The last reply or failure, and the host that gave it, as `explain` and reports show them.
        package var lastReply: Reply?
        package var lastHost: String?
        package var lastAttempt: Timestamp?
        package init() {}
    }
}

/// A message about to become ours.
package struct NewMessage: Sendable {
    package var envelope: Envelope
    /// The whole content in pieces, or empty where it was written ahead by `QueueStore.writeChunk`.
    package var content: [[UInt8]]
    package init(envelope: Envelope, content: [[UInt8]]) {
        self.envelope = envelope
        self.content = content
    }
}

/// One line of a message's history: an event as `Telemetry` encodes it.
package struct LedgerLine: Sendable, Equatable {
    package var id: QueueID
    package var at: Timestamp
    package var line: [UInt8]
    package init(id: QueueID, at: Timestamp, line: [UInt8]) {
        self.id = id
        self.at = at
        self.line = line
    }
}

/// A change of the queue. All changes of one `commit` become durable together, or none does.
package enum QueueChange: Sendable {
    case accept(NewMessage)
    /// Replaces the progress of single recipients, by index.
    case progress(QueueID, [(index: Int, progress: Recipient.Progress)])
    /// Replaces everything but recipients and content (hold, priority, times).
    case amend(Envelope)
    /// The last recipient is done: envelope, progress and content go.
    case remove(QueueID, chunkCount: UInt32, recipientCount: Int)
    case ledger(LedgerLine)
    /// Puts a small value beside the queue, or with nil removes it.
    case note(key: [UInt8], value: [UInt8]?)
}

package enum StoreError: Error, Sendable, Equatable {
    /// No room for more mail; what is queued goes on. 452 4.3.1.
    case full
    /// The store cannot write. 451 4.3.0; `detail` is for the log.
    case sick(detail: String)
    /// A stored value is damaged or of an unknown version.
    case damaged(detail: String)

    /// Waiting does not help.
    package var isDamage: Bool { if case .damaged = self { true } else { false } }

    /// What a client hears.
    package var reply: Reply {
        switch self {
        case .full: Reply(452, EnhancedStatus(4, 3, 1), "Insufficient system storage")
        case .sick, .damaged: Reply(451, EnhancedStatus(4, 3, 0), "Queue not available, try again later")
        }
    }
}

package typealias StoreCompletion = @Sendable (Result<Void, StoreError>) -> Void

/// The durable queue. All calls may come from any thread; none but `scan`, `envelope`, `contentPiece`,
/// `ledger` and `notes` touches the disk on the caller's.
package protocol QueueStore: AnyObject, Sendable {
    /// Whether new mail may be taken at this moment; cheap, asked at every MAIL. nil: yes.
    var intakeRefusal: StoreError? { get }
    /// Whether attempts may be made: one that could not be recorded would be made twice. nil: yes.
    var deliveryRefusal: StoreError? { get }

    /// Whether what is read now is what a start would find: not so from a failed write on, until the store has looked
    /// what became of it.
    var isCertain: Bool { get }

    /// Writes and syncs all changes in one batch, then runs `completion` on `lane`. `accept` is refused with
    /// `full` while intake is stopped. Commits take effect in the order they are given, but that new mail may
    /// overtake others: an id that was removed is not accepted anew before the removal is complete.
    func commit(_ changes: [QueueChange], lane: any Lane, completion: @escaping StoreCompletion)

    /// Takes back the commit that accepts `id`, if it has only waited so far: its completion then runs with
    /// `sick`, and nothing of it is ever stored. What is being written goes on, and is answered when it is
    /// done.
    func withdraw(_ id: QueueID)

    /// Writes one chunk of a large message ahead of its envelope, unsynced. Chunks without an envelope are
    /// swept at start.
    func writeChunk(
        _ id: QueueID, number: UInt32, octets: [[UInt8]], lane: any Lane,
        completion: @escaping StoreCompletion)
    /// Drops chunks whose transaction was given up.
    func dropChunks(_ id: QueueID, count: UInt32)

    func envelope(_ id: QueueID) throws(StoreError) -> Envelope?
    /// Piece `number` of the content: the only one (0) of unchunked content, or a chunk.
    func contentPiece(_ id: QueueID, number: UInt32) throws(StoreError) -> [UInt8]?
    /// All envelopes as of the call, in order of id, progress merged; `body` returns false to stop.
    func scan(_ body: (Envelope) -> Bool) throws(StoreError)
    func ledger(_ id: QueueID) throws(StoreError) -> [LedgerLine]
    /// All notes whose keys begin so, in order of key; `body` returns false to stop.
    func notes(under prefix: [UInt8], _ body: ([UInt8], [UInt8]) -> Bool) throws(StoreError)
}

/// Who is told of every message that has become ours, right after its commit, on any thread.
package protocol MessageFeed: AnyObject, Sendable {
    /// `content` is what was stored, if it is still in memory: the first attempt need not read it back. `lane`
    /// is where the caller runs: whoever is woken there is woken cheapest.
    func arrived(_ envelope: Envelope, content: [[UInt8]], on lane: (any Lane)?)
}
