import MailValues
import MessageFormat
import QueueEngine
import Telemetry

/// Where an attempt took place, as events tell it.
struct AttemptPlace: Sendable, Equatable {
    var host: String?
    var address: String?
    var tls: String?
    var isReused = false

    /// - Parameter indices: the recipients that it is about, by place in the envelope.
    func event(
        _ kind: EventKind, _ envelope: Envelope, _ indices: [Int], _ reply: Reply, attempts: UInt32,
        now: Timestamp
    ) -> Event {
        let to: Event.Value =
            indices.count == 1
            ? .text(envelope.recipients[indices[0]].mailbox.description)
            : .list(indices.map { envelope.recipients[$0].mailbox.description })
        var fields: [(name: StaticString, value: Event.Value)] = []
        fields.reserveCapacity(10)
        fields.append(("from", .text(envelope.reversePath.description)))
        fields.append(("to", to))
        if let host { fields.append(("host", .text(host))) }
        if let address { fields.append(("address", .text(address))) }
        if let tls { fields.append(("tls", .text(tls))) }
        fields.append(("reply", .text(reply.eventText)))
        fields.append(("attempt", .number(Int64(attempts))))
        fields.append(("age_ms", .number((now - envelope.acceptedAt).wholeMilliseconds)))
        if isReused { fields.append(("reused", .flag(true))) }
        return Event(kind, at: now, message: envelope.id, fields: fields)
    }

    /// A line for each different outcome, with the recipients that met it.
    func lines(
        _ envelope: Envelope, _ results: [RecipientResult],
        _ progress: [(index: Int, progress: Recipient.Progress)],
        now: Timestamp
    ) -> [[UInt8]] {
        struct Outcome: Hashable {
            var kind: EventKind
            var reply: Reply
            var host: String?
        }
        var order: [Outcome] = []
        var indices: [Outcome: [Int]] = [:]
        for (result, (index, progress)) in zip(results, progress) {
            let kind: EventKind =
                switch progress.state {
                case .delivered: .delivery
                case .bounced: result.kind == .bounced ? .bounce : .expiration
                case .deleted: .deletion
                case .waiting: .deferral
                }
            let outcome = Outcome(kind: kind, reply: result.reply, host: result.host)
            if indices[outcome] == nil { order.append(outcome) }
            indices[outcome, default: []].append(index)
        }
        return order.map { outcome in
            let places = indices[outcome] ?? []
            let attempts = places.map { envelope.recipients[$0].progress.attempts + 1 }.max() ?? 1
            var place = self
            if outcome.host != host {
                // Said of another host than the last, or by ourselves.
                place = AttemptPlace(host: outcome.host)
            }
            return place.event(outcome.kind, envelope, places, outcome.reply, attempts: attempts, now: now)
                .encoded()
        }
    }

    func reportEvent(
        _ report: NewMessage, about envelope: Envelope, _ recipients: [DeliveryReport.Recipient],
        now: Timestamp
    ) -> Event {
        var event = Event(.dsn, at: now, message: envelope.id)
        event.add("report", .text(report.envelope.id.description))
        event.add("to", .text(report.envelope.recipients[0].mailbox.description))
        event.add("about", .list(recipients.map { "\($0.action.rawValue) \($0.mailbox)" }))
        return event
    }
}
