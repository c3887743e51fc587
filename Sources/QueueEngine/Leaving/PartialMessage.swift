import MailValues

/// A large message that an heir fetches piece by piece, each written as it comes.
///
/// What was fetched stays when the session ends, whether or not the message comes again: chunks are written once,
/// and the next start sweeps those without an envelope.
struct PartialMessage: Sendable {
    struct Offer: Sendable {
        let leaver: NodeID
        let session: LeavingSession
        let count: UInt64
        let receipt: Receipt

        init(_ leaver: NodeID, _ session: LeavingSession, _ count: UInt64, _ receipt: Receipt) {
            self.leaver = leaver
            self.session = session
            self.count = count
            self.receipt = receipt
        }
    }

    private(set) var envelope: Envelope
    /// † What it is fetched for. Refused, or of an ended session: nothing, and nothing may come of it.
    private(set) var offer: Offer?
    /// Offered, and not asked for yet: others are being fetched.
    var isWaiting = false
    /// The next piece to be fetched or, while `isWriting`, the one on its way to the disk.
    var next: UInt32 = 0
    /// A piece, or all of it, is on its way to the disk.
    var isWriting = false
    var asked = Uptime.longAgo

    init(_ envelope: Envelope) { self.envelope = envelope }

    mutating func resume(_ envelope: Envelope, for offer: Offer) {
        self.envelope = envelope
        self.offer = offer
        isWaiting = true
        asked = .longAgo
    }

    mutating func refused() {
        isWriting = false
        offer = nil
    }

    mutating func endSession(with leaver: NodeID) {
        if offer?.leaver == leaver { endOffer() }
    }

    mutating func endOffer() { offer = nil }

    /// All pieces are there, and the message itself is on its way to the disk.
    var isBeingAdopted: Bool { isWriting && next == envelope.chunkCount }
}

extension Heir {
    /// Begins to fetch what was offered first, as far as places are free. The rest of what a leaver offers waits here, within
    /// its window: answered *busy*, it would come again and again.
    mutating func fetchWaiting(from leaver: NodeID, now: Uptime, _ actions: inout [Action]) {
        let offered = partials.filter { $0.value.offer?.leaver == leaver }
        let waiting = offered.filter(\.value.isWaiting)
        let free = limits.fetches - (offered.count - waiting.count)
        guard free > 0, !waiting.isEmpty else { return }
        let first = waiting.sorted { ($0.value.offer?.count ?? 0) < ($1.value.offer?.count ?? 0) }
        for (id, _) in first.prefix(free) {
            partials[id]?.isWaiting = false
            fetch(id, now: now, &actions)
        }
    }

    /// † Its own node leaves: what is not whole yet is not taken any more, or it would be after the testament.
    mutating func giveUpFetching(_ actions: inout [Action]) {
        for (id, partial) in partials.sorted(by: { $0.key < $1.key }) where !partial.isBeingAdopted {
            guard let offer = partial.offer else { continue }
            partials[id]?.endOffer()
            answer(offer.leaver, offer.session, [OfferAnswer(offer.count, .closed)], &actions)
        }
    }

    /// Asks for the next piece, or takes the message where all have come.
    mutating func fetch(_ id: QueueID, now: Uptime, _ actions: inout [Action]) {
        guard let partial = partials[id], let offer = partial.offer else { return }
        guard partial.next < partial.envelope.chunkCount else {
            // Until it is taken the pieces stay.
            partials[id]?.isWriting = true
            adopt(offer.leaver, offer.session, offer.count, offer.receipt, partial.envelope, [], &actions)
            return
        }
        partials[id]?.asked = now
        actions.append(
            .send(
                .fetch(offer.session, nonce: nonce, count: offer.count, piece: partial.next),
                to: offer.leaver))
    }

    mutating func fetchAgain(now: Uptime, _ actions: inout [Action]) {
        for (id, partial) in partials
        where !partial.isWriting && !partial.isWaiting && now - partial.asked >= limits.patience {
            fetch(id, now: now, &actions)
        }
    }

    mutating func piece(_ piece: LeavingFrame.Piece, from node: NodeID, _ actions: inout [Action]) {
        guard let partial = partials[piece.id], !partial.isWriting, let offer = partial.offer,
            offer.leaver == node, piece.nonce == nonce, piece.session == offer.session,
            piece.count == offer.count, piece.number == partial.next
        else { return }
        partials[piece.id]?.isWriting = true
        actions.append(.writeChunk(piece.id, number: piece.number, octets: piece.octets))
    }

    mutating func chunkWritten(
        _ id: QueueID, _ number: UInt32, isDone: Bool, now: Uptime, _ actions: inout [Action]
    ) {
        guard let partial = partials[id], partial.isWriting, partial.next == number else { return }
        partials[id]?.isWriting = false
        if isDone {
            partials[id]?.next = number + 1
            fetch(id, now: now, &actions)
        } else if let offer = partial.offer {
            partials[id]?.refused()
            fetchWaiting(from: offer.leaver, now: now, &actions)
            answer(offer.leaver, offer.session, [OfferAnswer(offer.count, .busy)], &actions)
        }
    }
}
