import Filtering
import MailValues
import QueueEngine
import SMTPProtocol
import Telemetry

/// What follows from a message's fingerprints.
struct Judgement {
    var fingerprints: [Fingerprint] = []
    var refusal: Reply?
    var hold: Envelope.Hold?
}

extension IntakeSession {
    private var rule: VerdictRule { terms?.verdicts ?? .off }

    /// Whether a message's fingerprints are looked for. That costs some microseconds for 4 KiB, and is done where nobody
    /// has said a verdict yet too: the first one must find what waits in the queue.
    var asksForVerdicts: Bool { rule != .off && flow.gate != nil }

    /// The message is whole, and not refused already.
    func judge(_ message: MessageUnderway) -> Judgement {
        guard message.refusal == nil, let reader = message.fingerprints, let gate = flow.gate else {
            return Judgement()
        }
        message.fingerprints = nil
        var judgement = Judgement(fingerprints: reader.finish())
        let opinion = gate.opinion(of: judgement.fingerprints)
        switch rule.deed(about: opinion) {
        case .take: break
        case .note: note(.noted, opinion, message)
        case .hold:
            note(.held, opinion, message)
            judgement.hold = Envelope.Hold(
                by: "verdict:\(opinion.fingerprint.map { "\($0)" } ?? "")", reason: opinion.reason,
                since: message.startedAt)
        case .reject:
            note(.rejected, opinion, message)
            judgement.refusal = GateReplies.content(policy)
        }
        return judgement
    }

    private func note(
        _ deed: NodeMetrics.VerdictDeed, _ opinion: VerdictOpinion, _ message: MessageUnderway
    ) {
        flow.metrics.verdictDeeds[deed].increment()
        var event = Event(.gate, at: flow.clock(), message: message.id)
        event.add("session", .number(Int64(facts.session)))
        event.add("listener", listener)
        event.add("client", facts.client.description)
        event.add("about", opinion.fingerprint.map { "\($0)" })
        event.add("deed", deed.rawValue)
        event.add("reason", String(opinion.reason.prefix(500)))
        flow.events.write(event.encoded())
    }
}
