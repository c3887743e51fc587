package import MailValues
import SwiftProtobuf

/// How envelopes become octets and are read back: the store's own form, so that there is one reader of it to be trusted.
package protocol EnvelopeCoding: Sendable {
    func octets(of envelope: Envelope) -> [UInt8]
    /// Nil: not an envelope.
    func envelope(_ octets: [UInt8], id: QueueID) -> Envelope?
}

/// The wire form of what leavers and heirs say (`Proto/leaving.proto`).
///
/// What comes from the wire is bounded before it is read: by the size of the frame, and then by number.
package struct LeavingWire<Envelopes: EnvelopeCoding>: Sendable {
    let limits: LeavingLimits
    let envelopes: Envelopes

    package init(limits: LeavingLimits, envelopes: Envelopes) {
        self.limits = limits
        self.envelopes = envelopes
    }

    package enum Malformed: Error, Equatable {
        case tooLarge(octets: Int)
        /// Not what the protocol says; or what a later version says, and this one skips.
        case unreadable
    }

    package func decode(_ octets: [UInt8]) throws(Malformed) -> LeavingFrame {
        guard octets.count <= limits.frameOctets else { throw .tooLarge(octets: octets.count) }
        guard let wire = try? Chappe_Leaving_LeavingBody(serializedBytes: octets), let body = wire.body,
            let frame = frame(body)
        else { throw .unreadable }
        return frame
    }

    package func encode(_ frame: LeavingFrame) -> [UInt8] {
        var wire = Chappe_Leaving_LeavingBody()
        wire.body = body(frame)
        do {
            return try wire.serializedBytes()
        } catch {
            preconditionFailure("a message without required fields can be written: \(error)")
        }
    }

    // MARK: Reading

    private func frame(_ body: Chappe_Leaving_LeavingBody.OneOf_Body) -> LeavingFrame? {
        switch body {
        case .open(let wire):
            guard let subject = LeavingFrame.Subject(wire.subject) else { return nil }
            return .open(subject, LeavingSession(wire.session), settled: wire.settled)
        case .probe(let wire):
            guard let subject = LeavingFrame.Subject(wire.subject),
                wire.ranges.count <= limits.rangesPerProbe, let ranges = wire.ranges.all(IDRange.init)
            else { return nil }
            return .probe(
                subject, LeavingSession(wire.session), nonce: wire.session.nonce, number: wire.number, ranges)
        case .offer(let wire): return offer(wire)
        case .piece(let wire):
            guard let id = QueueID(octets: wire.id) else { return nil }
            return .piece(
                LeavingFrame.Piece(
                    session: LeavingSession(wire.session), nonce: wire.session.nonce, count: wire.count,
                    id: id, number: wire.number, octets: [UInt8](wire.octets)))
        case .testament(let wire):
            guard let subject = LeavingFrame.Subject(wire.subject),
                wire.receipts.count <= limits.testamentReceipts,
                let receipts = wire.receipts.all(Receipt.init)
            else { return nil }
            return .testament(
                LeavingFrame.Testament(
                    subject: subject, number: wire.number, part: wire.part, isLast: wire.isLast,
                    receipts: receipts))
        case .opened(let wire):
            guard let subject = LeavingFrame.Subject(wire.subject) else { return nil }
            return .opened(
                subject, LeavingSession(wire.session), nonce: wire.session.nonce, isTaking: wire.isTaking,
                knows: wire.knows)
        case .found(let wire):
            guard let subject = LeavingFrame.Subject(wire.subject),
                wire.answers.count <= limits.rangesPerProbe,
                wire.answers.allSatisfy({ $0.receipts.count <= limits.listedReceipts }),
                let answers = wire.answers.all(RangeAnswer.init)
            else { return nil }
            return .found(
                subject, LeavingSession(wire.session), nonce: wire.session.nonce, number: wire.number, answers
            )
        case .answers(let wire):
            guard wire.answers.count <= limits.answersPerFrame,
                let answers = wire.answers.all(OfferAnswer.init)
            else { return nil }
            return .answers(LeavingSession(wire.session), nonce: wire.session.nonce, answers)
        case .fetch(let wire):
            return .fetch(
                LeavingSession(wire.session), nonce: wire.session.nonce, count: wire.count, piece: wire.piece)
        case .ended(let wire): return .ended(LeavingSession(wire.session), nonce: wire.session.nonce)
        case .testamentKept(let wire):
            guard let subject = LeavingFrame.Subject(wire.subject) else { return nil }
            return .testamentKept(subject, number: wire.number, part: wire.part)
        }
    }

    /// An envelope that cannot be read leaves an offer without one: the heir says so, and the message stays.
    private func offer(_ wire: Chappe_Leaving_Offer) -> LeavingFrame? {
        guard let id = QueueID(octets: wire.id) else { return nil }
        return .offer(
            LeavingFrame.Offer(
                session: LeavingSession(wire.session), nonce: wire.session.nonce, count: wire.count, id: id,
                epoch: wire.epoch, envelope: envelopes.envelope([UInt8](wire.envelope), id: id),
                content: wire.content.map { [UInt8]($0) }))
    }

    // MARK: Writing

    private func body(_ frame: LeavingFrame) -> Chappe_Leaving_LeavingBody.OneOf_Body {
        switch frame {
        case .open(let subject, let session, let settled):
            return .open(
                .with {
                    $0.subject = subject.wire
                    $0.session = session.wire(nonce: 0)
                    $0.settled = settled
                })
        case .probe(let subject, let session, let nonce, let number, let ranges):
            return .probe(
                .with {
                    $0.subject = subject.wire
                    $0.session = session.wire(nonce: nonce)
                    $0.number = number
                    $0.ranges = ranges.map(\.wire)
                })
        case .offer(let offer):
            return .offer(
                .with {
                    $0.session = offer.session.wire(nonce: offer.nonce)
                    $0.count = offer.count
                    $0.id = data(offer.id.octets)
                    $0.epoch = offer.epoch
                    if let envelope = offer.envelope { $0.envelope = data(envelopes.octets(of: envelope)) }
                    $0.content = offer.content.map(data)
                })
        case .piece(let piece):
            return .piece(
                .with {
                    $0.session = piece.session.wire(nonce: piece.nonce)
                    $0.count = piece.count
                    $0.id = data(piece.id.octets)
                    $0.number = piece.number
                    $0.octets = data(piece.octets)
                })
        case .testament(let testament):
            return .testament(
                .with {
                    $0.subject = testament.subject.wire
                    $0.number = testament.number
                    $0.part = testament.part
                    $0.isLast = testament.isLast
                    $0.receipts = testament.receipts.map(\.wire)
                })
        case .opened(let subject, let session, let nonce, let isTaking, let knows):
            return .opened(
                .with {
                    $0.subject = subject.wire
                    $0.session = session.wire(nonce: nonce)
                    $0.isTaking = isTaking
                    $0.knows = knows
                })
        case .found(let subject, let session, let nonce, let number, let answers):
            return .found(
                .with {
                    $0.subject = subject.wire
                    $0.session = session.wire(nonce: nonce)
                    $0.number = number
                    $0.answers = answers.map(\.wire)
                })
        case .answers(let session, let nonce, let answers):
            return .answers(
                .with {
                    $0.session = session.wire(nonce: nonce)
                    $0.answers = answers.map(\.wire)
                })
        case .fetch(let session, let nonce, let count, let piece):
            return .fetch(
                .with {
                    $0.session = session.wire(nonce: nonce)
                    $0.count = count
                    $0.piece = piece
                })
        case .ended(let session, let nonce):
            return .ended(.with { $0.session = session.wire(nonce: nonce) })
        case .testamentKept(let subject, let number, let part):
            return .testamentKept(
                .with {
                    $0.subject = subject.wire
                    $0.number = number
                    $0.part = part
                })
        }
    }
}
