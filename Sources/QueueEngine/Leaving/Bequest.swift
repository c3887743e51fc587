import MailValues

/// The receipts that a leaving node has given as an heir, on their way to who answers for it from now on.
///
/// † Without them a leaver that has not heard our answer could ask nobody: it would keep its message for ever, or deliver
/// it a second time (`cluster/models/heirs-heir.pml`, twin NO_TESTAMENT).
package struct Bequest: Sendable {
    /// All receipts of one subject.
    package struct Book: Sendable, Equatable {
        /// The leaving of the subject's heir, when that is over; nil where the heir is the node itself.
        package var number: UInt64?
        package var receipts: [Receipt]
        package init(number: UInt64?, receipts: [Receipt]) {
            self.number = number
            self.receipts = receipts
        }
    }

    private(set) var isTold = false
    private var books: [(subject: LeavingFrame.Subject, book: Book)] = []
    private var next = 0
    private var part = 0
    private(set) var executor: NodeID?
    private var asked = Uptime.longAgo
    private var tries = 0
    /// The one that is chosen gives no answer.
    var isInVain: Bool { tries > 3 }

    init() {}

    init(_ books: [LeavingFrame.Subject: Book]) {
        isTold = true
        // † The word that nothing else follows comes last: before it, what was not told is not known.
        self.books = books.filter { !$0.value.receipts.isEmpty || $0.key.isEnd }.map { ($0, $1) }
            .sorted {
                if $0.subject.isEnd != $1.subject.isEnd { return $1.subject.isEnd }
                return ($0.subject.leaver, $0.subject.heir) < ($1.subject.leaver, $1.subject.heir)
            }
    }

    var isOver: Bool { isTold && next == books.count }

    /// Another is to answer: it gets all. So does the same one, where it gave no answer: it may have forgotten what it heard.
    mutating func choose(_ node: NodeID?) {
        guard node != executor || isInVain else { return }
        executor = node
        tries = 0
        next = 0
        part = 0
        asked = .longAgo
    }

    /// The part to be sent now, if it was not sent lately.
    mutating func part(
        number: UInt64, now: Uptime, limits: LeavingLimits
    ) -> LeavingFrame.Testament? {
        guard isTold, next < books.count, now - asked >= limits.patience else { return nil }
        asked = now
        tries += 1
        let (subject, book) = books[next]
        let start = part * limits.testamentReceipts
        let end = min(start + limits.testamentReceipts, book.receipts.count)
        return LeavingFrame.Testament(
            subject: subject, number: book.number ?? number, part: UInt32(part),
            isLast: end == book.receipts.count, receipts: Array(book.receipts[start..<end]))
    }

    mutating func kept(
        _ subject: LeavingFrame.Subject, by node: NodeID, number: UInt64, part: UInt32, own: UInt64,
        limits: LeavingLimits
    ) {
        guard node == executor, next < books.count, books[next].subject == subject, part == self.part,
            number == books[next].book.number ?? own
        else { return }
        asked = .longAgo
        tries = 0
        self.part += 1
        if self.part * limits.testamentReceipts >= books[next].book.receipts.count {
            next += 1
            self.part = 0
        }
    }
}

extension Leaver {
    /// Tells one that stays what this node has taken from others. The last of all has nobody to tell, and nobody who asks.
    mutating func bequeath(now: Uptime, _ actions: inout [Action]) {
        guard bequest.isTold else { return }
        if let executor = bequest.executor, heirs[executor]?.standing.isThere != true { bequest.choose(nil) }
        if bequest.executor == nil || bequest.isInVain {
            bequest.choose(next(of: living, after: bequest.executor))
        }
        let isLast = heirs.values.allSatisfy { $0.standing == .left || $0.standing == .evicted }
        if bequest.isOver || isLast {
            phase = .signing
            actions.append(.writeLeft)
        } else if let executor = bequest.executor,
            let part = bequest.part(number: epoch, now: now, limits: limits)
        {
            actions.append(.send(.testament(part), to: executor))
        }
    }
}
