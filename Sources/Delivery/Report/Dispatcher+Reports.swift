import MailValues
import MessageFormat
import QueueEngine
import SMTPProtocol

extension Dispatcher {
    /// A report as a message of its own: from nobody (RFC 3461 §6.1), queued like any other.
    func report(
        to sender: Mailbox, about envelope: Envelope, _ recipients: [DeliveryReport.Recipient],
        fresh: FreshMessage?,
        id: QueueID, now: Timestamp, _ settings: DeliverySettings
    ) -> NewMessage {
        let wantsFull = envelope.dsnReturn == .full
        let isFull = DeliveryReport.returnsFullContent(
            wantsFullReturn: wantsFull, actions: recipients.map(\.action), sizeOctets: envelope.sizeOctets,
            limits: settings.reportLimits)
        let original = DeliveryReport.Original(
            id: envelope.id, arrivedAt: envelope.acceptedAt, envelopeID: envelope.dsnEnvelopeID,
            wantsFullReturn: wantsFull, sizeOctets: envelope.sizeOctets,
            content: fresh?.content ?? storedContent(of: envelope, isFull: isFull))
        let built = DeliveryReport(
            id: id, at: now, host: settings.hostName, postmaster: settings.postmaster, sender: sender,
            original: original,
            recipients: recipients, limits: settings.reportLimits
        ).built()
        var reportEnvelope = Envelope(
            id: id, acceptedAt: now, reversePath: .null,
            // RFC 3461 §6.1: nobody is told of what becomes of a report.
            recipients: [Recipient(mailbox: sender, notify: .never)], sizeOctets: built.sizeOctets,
            origin: Envelope.Origin(listener: "report"))
        reportEnvelope.hasEightBit = built.hasEightBit
        reportEnvelope.body = built.hasEightBit ? .eightBitMIME : .sevenBit
        reportEnvelope.smtpUTF8 = built.needsUTF8
        return NewMessage(envelope: reportEnvelope, content: built.content)
    }

    /// The first piece, which holds the header section; all of them where they are wanted. A report without
    /// the original is better than none, so what cannot be read is left out.
    private func storedContent(of envelope: Envelope, isFull: Bool) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        for number in 0..<(isFull ? max(1, envelope.chunkCount) : 1) {
            guard let piece = try? seams.store.contentPiece(envelope.id, number: number) else { return [] }
            pieces.append(piece)
        }
        return pieces
    }
}
