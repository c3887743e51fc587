import MailValues
import QueueEngine

/// Puts envelopes together from the values of the family `envelope`, met in order of their keys.
///
/// For each id come the envelope as it was accepted, the progress of its recipients, and its last amendment.
struct EnvelopeReader {
    private let epoch: Epoch
    private var current: DecodedEnvelope?
    /// What could not be read, if anything: then the walk was ended.
    private(set) var damage: String?
    /// Progress whose message is gone, by a process that died between two versions of a clock; harmless.
    private(set) var strayCount = 0

    init(epoch: Epoch) { self.epoch = epoch }

    /// Takes the next value; `body` gets each envelope that is complete. Returns whether to go on.
    mutating func take(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ body: (Envelope) -> Bool
    ) -> Bool {
        guard let id = Key.id(key) else { return fail("a key of \(key.count) octets in the envelopes") }
        do throws(StoredValueError) {
            if key.count == Key.idOctets {
                let goesOn = finish(body)
                current = try EnvelopeDecoding.envelope(id, value)
                return goesOn
            }
            guard current?.envelope.id == id, let number = Key.number(key) else {
                strayCount += 1
                return true
            }
            if number == Key.amendment {
                amend(by: try EnvelopeDecoding.envelope(id, value))
            } else if Int(number) < current!.envelope.recipients.count {
                current!.envelope.recipients[Int(number)].progress = try EnvelopeDecoding.progress(value)
            } else {
                return fail("progress of recipient \(number) of \(id), which has no such recipient")
            }
            return true
        } catch {
            return fail("envelope \(id): \(error)")
        }
    }

    /// Hands over the last one.
    @discardableResult
    mutating func finish(_ body: (Envelope) -> Bool) -> Bool {
        guard var decoded = current, damage == nil else { return true }
        current = nil
        if decoded.envelope.hold == nil, decoded.epoch < epoch.number { decoded.envelope.hold = epoch.hold }
        return body(decoded.envelope)
    }

    private mutating func amend(by amendment: DecodedEnvelope) {
        guard let before = current else { return }
        current!.envelope = amendment.envelope
        current!.envelope.recipients = before.envelope.recipients
        current!.epoch = max(before.epoch, amendment.epoch)
    }

    private mutating func fail(_ what: String) -> Bool {
        damage = what
        return false
    }
}
