package import MailValues
package import QueueEngine

/// Envelopes as they are stored, for who sends them to another node.
package struct StoredEnvelopeCoding: EnvelopeCoding {
    package init() {}

    package func octets(of envelope: Envelope) -> [UInt8] {
        var envelope = envelope
        // The mark is the sender's own affair.
        envelope.offered = nil
        let wire = WireWriter()
        wire.envelope(envelope, epoch: 0, withRecipients: true)
        return [UInt8](wire.octets)
    }

    package func envelope(_ octets: [UInt8], id: QueueID) -> Envelope? {
        try? octets.withUnsafeBytes { try EnvelopeDecoding.envelope(id, $0).envelope }
    }
}
