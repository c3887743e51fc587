package import MailValues

/// The other side of a leaving: takes messages over from nodes that leave, remembers that it did, and answers for it.
///
/// † It answers `taken` only when message and receipt are on its disk together, and keeps the receipt beyond the
/// delivery until the leaver has settled it. An offer counts in its session, in this life, and once.
package struct Heir: Sendable {
    let me: NodeID
    /// Of this life: drawn at the start, never used twice.
    let nonce: UInt64
    let limits: LeavingLimits
    /// Offers are welcome.
    package internal(set) var isOpen = true
    /// What was taken has been told to who answers for it from now on: nothing may be added.
    private var hasTold = false
    var books: [LeavingFrame.Subject: ReceiptBook] = [:]
    var dealings: [NodeID: HeirDealing] = [:]
    var partials: [QueueID: PartialMessage] = [:]
    var incoming: [LeavingFrame.Subject: IncomingTestament] = [:]
    package internal(set) var takenCount = 0

    package init(me: NodeID, nonce: UInt64, limits: LeavingLimits = LeavingLimits()) {
        self.me = me
        self.nonce = nonce
        self.limits = limits
    }

    package enum Event: Sendable, Equatable {
        /// Receipts that the store holds, of one subject; `number` for those of another heir.
        case found(LeavingFrame.Subject, number: UInt64?, [Receipt])
        case frame(LeavingFrame, from: NodeID)
        /// What is certain of messages that were to be taken: on the disk, or refused and never to be there.
        case adopted(NodeID, LeavingSession, [OfferAnswer])
        case chunkWritten(QueueID, number: UInt32, isDone: Bool)
        case testamentStored(LeavingFrame.Subject, number: UInt64, isDone: Bool)
        /// This node leaves, or stays after all.
        case close(Bool)
        /// It has left in order, and no mark of its is left anywhere.
        case left(NodeID)
        case tick
    }

    package enum Action: Sendable, Equatable {
        case send(LeavingFrame, to: NodeID)
        /// Message and receipt in one write, unless this node has a record of that message.
        case adopt(Adoption)
        /// Unless this node has a record of that message.
        case writeChunk(QueueID, number: UInt32, octets: [UInt8])
        /// The receipts may go.
        case forget(LeavingFrame.Subject, [QueueID])
        case keepTestament(LeavingFrame.Subject, number: UInt64, [Receipt])
    }

    package struct Adoption: Sendable, Equatable {
        package var leaver: NodeID
        package var session: LeavingSession
        package var count: UInt64
        package var receipt: Receipt
        package var envelope: Envelope
        /// Empty where the chunks were written ahead.
        package var content: [[UInt8]]
    }

    /// One step.
    package mutating func handle(_ event: Event, now: Uptime, _ actions: inout [Action]) {
        switch event {
        case .found(let subject, let number, let receipts):
            books[subject, default: ReceiptBook()].add(receipts)
            books[subject]?.number = number ?? 0
        case .frame(let frame, let node): receive(frame, from: node, now: now, &actions)
        case .adopted(let leaver, let session, let answers):
            adopted(leaver, session, answers, &actions)
            fetchWaiting(from: leaver, now: now, &actions)
        case .chunkWritten(let id, let number, let isDone):
            chunkWritten(id, number, isDone: isDone, now: now, &actions)
        case .testamentStored(let subject, let number, let isDone):
            testamentStored(subject, number, isDone: isDone, &actions)
        case .close(let isClosed):
            isOpen = !isClosed
            hasTold = false
            if isClosed { giveUpFetching(&actions) }
        case .left(let node): forget(node, &actions)
        case .tick: fetchAgain(now: now, &actions)
        }
    }

    private mutating func receive(
        _ frame: LeavingFrame, from node: NodeID, now: Uptime, _ actions: inout [Action]
    ) {
        switch frame {
        case .open(let subject, let session, let settled):
            guard subject.leaver == node else { return }
            open(subject, session, settled: settled, &actions)
        case .probe(let subject, let session, let nonce, let number, let ranges):
            guard subject.leaver == node, ranges.count <= limits.rangesPerProbe else { return }
            probe(subject, session, nonce: nonce, number: number, ranges, &actions)
        case .offer(let offer): self.offer(offer, from: node, now: now, &actions)
        case .piece(let piece): self.piece(piece, from: node, &actions)
        case .testament(let testament): hear(testament, from: node, &actions)
        case .opened, .found, .answers, .fetch, .ended, .testamentKept: break
        }
    }

    // MARK: Sessions

    private mutating func open(
        _ subject: LeavingFrame.Subject, _ session: LeavingSession, settled: UInt64,
        _ actions: inout [Action]
    ) {
        guard subject.heir == me else {
            // Of one that left: there is nothing to be opened, only to be answered.
            forget(subject, through: settled, &actions)
            actions.append(
                .send(
                    .opened(subject, session, nonce: nonce, isTaking: false, knows: knows(subject.heir)),
                    to: subject.leaver))
            return
        }
        let dealing = dealings[subject.leaver, default: HeirDealing()]
        guard dealing.session.map({ $0 <= session }) ?? true else { return }
        if dealing.session != session {
            dealings[subject.leaver] = dealing.begun(session)
            for id in partials.keys { partials[id]?.endSession(with: subject.leaver) }
        }
        forget(subject, through: settled, &actions)
        answerOpening(subject.leaver, &actions)
    }

    /// Whether all that an heir that left had receipted is known here.
    private func knows(_ heir: NodeID) -> Bool { books[.end(of: heir)]?.number != nil }

    /// † Not while anything of an older session is on its way to the disk: only then is what is not there not taken.
    private mutating func answerOpening(_ leaver: NodeID, _ actions: inout [Action]) {
        guard let dealing = dealings[leaver], let session = dealing.session, dealing.pending.isEmpty,
            dealing.next == 0
        else { return }
        let subject = LeavingFrame.Subject(leaver: leaver, heir: me)
        actions.append(
            .send(.opened(subject, session, nonce: nonce, isTaking: isOpen, knows: true), to: leaver))
    }

    private mutating func probe(
        _ subject: LeavingFrame.Subject, _ session: LeavingSession, nonce: UInt64, number: UInt32,
        _ ranges: [IDRange], _ actions: inout [Action]
    ) {
        if subject.heir == me {
            guard nonce == self.nonce, dealings[subject.leaver]?.session == session else {
                actions.append(.send(.ended(session, nonce: nonce), to: subject.leaver))
                return
            }
            guard dealings[subject.leaver]?.pending.isEmpty == true else { return }
        } else if !knows(subject.heir) {
            return
        }
        var book = books[subject] ?? ReceiptBook()
        let table = book.tabulated()
        books[subject] = book
        actions.append(
            .send(
                .found(
                    subject, session, nonce: nonce, number: number,
                    ranges.map { table.answer($0, listing: limits.listedReceipts) }), to: subject.leaver))
    }

    // MARK: Offers

    private mutating func offer(
        _ offer: LeavingFrame.Offer, from leaver: NodeID, now: Uptime, _ actions: inout [Action]
    ) {
        guard offer.nonce == nonce, let dealing = dealings[leaver], dealing.session == offer.session else {
            actions.append(.send(.ended(offer.session, nonce: offer.nonce), to: leaver))
            return
        }
        // What came before counts once; what never came can come no more.
        guard offer.count >= dealing.next, offer.count - dealing.next <= UInt64(limits.windowMessages) else {
            return
        }
        dealings[leaver]?.next = offer.count + 1
        let missed = (dealing.next..<offer.count).map { OfferAnswer($0, .missed) }
        if !missed.isEmpty {
            actions.append(.send(.answers(offer.session, nonce: nonce, missed), to: leaver))
        }
        if let refusal = begin(offer, from: leaver, now: now, &actions) {
            answer(leaver, offer.session, [OfferAnswer(offer.count, refusal)], &actions)
        }
    }

    /// Sets out to take a message; nil, or the answer where there is one at once.
    private mutating func begin(
        _ offer: LeavingFrame.Offer, from leaver: NodeID, now: Uptime, _ actions: inout [Action]
    ) -> OfferAnswer.Outcome? {
        let receipt = Receipt(offer.id, epoch: offer.epoch)
        let former = books[LeavingFrame.Subject(leaver: leaver, heir: me)]?[offer.id]
        if former == offer.epoch { return .taken }
        guard isOpen else { return .closed }
        guard former.map({ $0 < offer.epoch }) ?? true else { return .busy }
        guard let envelope = offer.envelope, envelope.id == offer.id else { return .damaged }
        guard envelope.chunkCount > 0 else {
            adopt(leaver, offer.session, offer.count, receipt, envelope, offer.content, &actions)
            return nil
        }
        if partials[offer.id] == nil {
            partials[offer.id] = PartialMessage(envelope)
        }
        // Begun before, and broken off: it goes on where it was, whoever has the message now.
        guard let partial = partials[offer.id], !partial.isWriting,
            partial.envelope.chunkCount == envelope.chunkCount
        else { return .busy }
        partials[offer.id]?.resume(
            envelope, for: PartialMessage.Offer(leaver, offer.session, offer.count, receipt))
        fetchWaiting(from: leaver, now: now, &actions)
        return nil
    }

    mutating func adopt(
        _ leaver: NodeID, _ session: LeavingSession, _ count: UInt64, _ receipt: Receipt,
        _ envelope: Envelope, _ content: [[UInt8]], _ actions: inout [Action]
    ) {
        var envelope = envelope
        envelope.offered = nil
        envelope.adopted = Envelope.Handover(leaver, epoch: receipt.epoch)
        dealings[leaver]?.pending[HeirDealing.Place(session: session, count: count)] = receipt
        actions.append(
            .adopt(
                Adoption(
                    leaver: leaver, session: session, count: count, receipt: receipt, envelope: envelope,
                    content: content)))
    }

    private mutating func adopted(
        _ leaver: NodeID, _ session: LeavingSession, _ answers: [OfferAnswer], _ actions: inout [Action]
    ) {
        for answer in answers {
            let place = HeirDealing.Place(session: session, count: answer.count)
            guard let receipt = dealings[leaver]?.pending.removeValue(forKey: place) else { continue }
            guard answer.outcome == .taken else {
                partials[receipt.id]?.refused()
                continue
            }
            partials[receipt.id] = nil
            books[LeavingFrame.Subject(leaver: leaver, heir: me), default: ReceiptBook()].add([receipt])
            takenCount += 1
        }
        if dealings[leaver]?.session == session {
            answer(leaver, session, answers, &actions)
        } else {
            answerOpening(leaver, &actions)
        }
    }

    func answer(
        _ leaver: NodeID, _ session: LeavingSession, _ answers: [OfferAnswer], _ actions: inout [Action]
    ) {
        for start in stride(from: 0, to: answers.count, by: limits.answersPerFrame) {
            let part = Array(answers[start..<min(start + limits.answersPerFrame, answers.count)])
            actions.append(.send(.answers(session, nonce: nonce, part), to: leaver))
        }
    }

    // MARK: Receipts

    private mutating func forget(
        _ subject: LeavingFrame.Subject, through epoch: UInt64, _ actions: inout [Action]
    ) {
        guard let ids = books[subject]?.remove(through: epoch), !ids.isEmpty else { return }
        actions.append(.forget(subject, ids))
    }

    private mutating func forget(_ leaver: NodeID, _ actions: inout [Action]) {
        for subject in books.keys where subject.leaver == leaver && subject.heir != leaver {
            forget(subject, through: .max, &actions)
            books[subject] = nil
        }
        // † The session is remembered: frames that were long on their way must not begin it again.
    }

    /// † Only when it takes nothing more, and nothing is on its way to the disk (`cluster/models/heirs-heir.pml`, twin
    /// NOT_CLOSED).
    ///
    /// Nil: not yet.
    mutating func tell() -> [LeavingFrame.Subject: Bequest.Book]? {
        guard !isOpen, dealings.values.allSatisfy(\.pending.isEmpty),
            !incoming.values.contains(where: \.isWhole)
        else { return nil }
        incoming = [:]
        hasTold = true
        var told: [LeavingFrame.Subject: Bequest.Book] = [
            .end(of: me): Bequest.Book(number: nil, receipts: [])
        ]
        for (subject, book) in books {
            let number = subject.heir == me ? nil : book.number
            told[subject] = Bequest.Book(number: number, receipts: book.receipts.sorted())
        }
        return told
    }

    private mutating func hear(
        _ testament: LeavingFrame.Testament, from node: NodeID, _ actions: inout [Action]
    ) {
        guard !hasTold, testament.receipts.count <= limits.testamentReceipts, testament.subject.heir != me
        else {
            return
        }
        let subject = testament.subject
        let known = books[subject]?.number ?? 0
        guard testament.number > known else {
            // † An older word never replaces a newer one; what is known is kept already.
            kept(testament, by: node, &actions)
            return
        }
        if testament.part == 0 {
            incoming[subject] = IncomingTestament(speaker: node, number: testament.number)
        }
        guard let step = incoming[subject]?.take(testament, from: node) else { return }
        switch step {
        case .kept: kept(testament, by: node, &actions)
        case .isWhole(let receipts):
            actions.append(.keepTestament(subject, number: testament.number, receipts))
        }
    }

    private func kept(
        _ testament: LeavingFrame.Testament, by node: NodeID, _ actions: inout [Action]
    ) {
        actions.append(
            .send(
                .testamentKept(testament.subject, number: testament.number, part: testament.part), to: node))
    }

    private mutating func testamentStored(
        _ subject: LeavingFrame.Subject, _ number: UInt64, isDone: Bool, _ actions: inout [Action]
    ) {
        guard let whole = incoming[subject], whole.number == number, whole.isWhole else { return }
        incoming[subject] = nil
        // Not stored: its speaker says it again.
        guard isDone else { return }
        var book = ReceiptBook()
        book.add(whole.receipts)
        book.number = number
        books[subject] = book
        actions.append(
            .send(.testamentKept(subject, number: number, part: whole.nextPart - 1), to: whole.speaker))
    }
}
