package import MailValues

/// A leaver's dealings with one heir, from one agreement about what is open to the next.
///
/// † Leaver and heir each give half of its name: the leaver a number that it never uses twice, the heir a nonce of its
/// own life. An offer counts in its session alone, so that whatever is still on its way from before can be
/// taken no more (`cluster/models/leaving.pml`, twins NO_NUMBER, NO_NONCE and OLD_WELCOME).
package struct LeavingSession: Hashable, Comparable, Sendable {
    /// Durable, raised at each start of the leaver and with each leaving.
    package var epoch: UInt64
    /// Counts the sessions of that epoch with this heir.
    package var round: UInt32

    package init(epoch: UInt64, round: UInt32) {
        self.epoch = epoch
        self.round = round
    }

    package static func < (left: LeavingSession, right: LeavingSession) -> Bool {
        left.epoch == right.epoch ? left.round < right.round : left.epoch < right.epoch
    }
}

/// What is said between a leaving node and its heirs. Octets of mail travel beside an `Offer`, put there by the shell.
package enum LeavingFrame: Sendable, Equatable {
    /// Whose receipts are spoken of: those that `heir` gave to `leaver`. Most often the heir is who is spoken to; of
    /// one that left, its own heir speaks.
    package struct Subject: Hashable, Sendable {
        package var leaver: NodeID
        package var heir: NodeID
        package init(leaver: NodeID, heir: NodeID) {
            self.leaver = leaver
            self.heir = heir
        }

        /// Stands for all that an heir has receipted: the last word of its testament, without receipts of its own.
        package static func end(of heir: NodeID) -> Subject { Subject(leaver: heir, heir: heir) }
        var isEnd: Bool { leaver == heir }
    }

    // From the leaver.

    /// A session begins. No mark of epoch `settled` or older to this heir is left, so its receipts may go.
    case open(Subject, LeavingSession, settled: UInt64)
    /// What receipts there are in these ranges; `number` pairs question and answer.
    case probe(Subject, LeavingSession, nonce: UInt64, number: UInt32, [IDRange])
    /// One message, the `count`th of the session.
    case offer(Offer)
    /// A piece of a large message that the heir fetched.
    case piece(Piece)
    /// All receipts of a subject, in parts: the speaker leaves, and the hearer answers for it from then on.
    case testament(Testament)

    // From the heir.

    /// The session is open. `isTaking`: offers are welcome. `knows` is false where the speaker cannot answer for the heir.
    case opened(Subject, LeavingSession, nonce: UInt64, isTaking: Bool, knows: Bool)
    case found(Subject, LeavingSession, nonce: UInt64, number: UInt32, [RangeAnswer])
    case answers(LeavingSession, nonce: UInt64, [OfferAnswer])
    case fetch(LeavingSession, nonce: UInt64, count: UInt64, piece: UInt32)
    /// That session is not one of this life, or no longer.
    case ended(LeavingSession, nonce: UInt64)
    case testamentKept(Subject, number: UInt64, part: UInt32)

    package struct Offer: Sendable, Equatable {
        package var session: LeavingSession
        package var nonce: UInt64
        package var count: UInt64
        package var id: QueueID
        /// Of the mark.
        package var epoch: UInt64
        /// The message as it stands; the machine of the leaver leaves it out, the shell puts it in.
        package var envelope: Envelope?
        /// The whole content in pieces; empty where it is to be fetched (`envelope.chunkCount`).
        package var content: [[UInt8]]

        package init(
            session: LeavingSession, nonce: UInt64, count: UInt64, id: QueueID, epoch: UInt64,
            envelope: Envelope? = nil, content: [[UInt8]] = []
        ) {
            self.session = session
            self.nonce = nonce
            self.count = count
            self.id = id
            self.epoch = epoch
            self.envelope = envelope
            self.content = content
        }
    }

    package struct Piece: Sendable, Equatable {
        package var session: LeavingSession
        package var nonce: UInt64
        package var count: UInt64
        package var id: QueueID
        package var number: UInt32
        package var octets: [UInt8]

        package init(
            session: LeavingSession, nonce: UInt64, count: UInt64, id: QueueID, number: UInt32,
            octets: [UInt8] = []
        ) {
            self.session = session
            self.nonce = nonce
            self.count = count
            self.id = id
            self.number = number
            self.octets = octets
        }
    }

    package struct Testament: Sendable, Equatable {
        /// The receipts of the speaker, or of one that left them to the speaker.
        package var subject: Subject
        /// The leaving of the subject's heir: a higher number replaces a lower one.
        package var number: UInt64
        package var part: UInt32
        package var isLast: Bool
        package var receipts: [Receipt]

        package init(subject: Subject, number: UInt64, part: UInt32, isLast: Bool, receipts: [Receipt]) {
            self.subject = subject
            self.number = number
            self.part = part
            self.isLast = isLast
            self.receipts = receipts
        }
    }
}

/// An heir has taken a message: durable with the message itself, and beyond its delivery.
package struct Receipt: Hashable, Comparable, Sendable {
    package var id: QueueID
    /// Of the leaver's mark. A message may come back and be given away again: then a receipt of the former time is no
    /// answer (`cluster/models/returning.pml`, twin NO_EPOCH).
    package var epoch: UInt64

    @inlinable
    package init(_ id: QueueID, epoch: UInt64) {
        self.id = id
        self.epoch = epoch
    }

    @inlinable
    package static func < (left: Receipt, right: Receipt) -> Bool {
        left.id == right.id ? left.epoch < right.epoch : left.id < right.id
    }
}

/// What became of one offer.
package struct OfferAnswer: Sendable, Equatable {
    package enum Outcome: UInt8, Sendable, CaseIterable {
        /// It is the heir's: on its disk, and answered for.
        case taken = 0
        /// No room.
        case full = 1
        /// The heir leaves too.
        case closed = 2
        /// The heir has a record of this message that is not settled yet.
        case busy = 3
        /// The offer never came; what came after it did.
        case missed = 4
        /// It could not be read.
        case damaged = 5
    }
    package var count: UInt64
    package var outcome: Outcome

    package init(_ count: UInt64, _ outcome: Outcome) {
        self.count = count
        self.outcome = outcome
    }
}
