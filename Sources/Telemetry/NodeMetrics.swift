/// Every metric of a node: the name on the page, what it counts, and who may count it.
///
/// A name once given stays, because dashboards and alerts stand on it.
package final class NodeMetrics: Sendable {
    package let registry: MetricRegistry

    // MARK: Sessions

    package let sessionsOpened: Counter
    package let sessionsOpen: Gauge
    package let sessionsRefused: CounterTable<SessionRefusal>
    package let serverHandshakes: CounterTable<HandshakeOutcome>
    package let authentications: CounterTable<AuthenticationOutcome>

    // MARK: Intake

    package let messagesAccepted: Counter
    package let octetsAccepted: Counter
    package let recipientsAccepted: Counter
    package let refusals: CounterTable<RefusalStage>
    package let temporaryRefusals: CounterTable<RefusalStage>
    package let lineEndsRepaired: Counter
    package let intakeOctetsInFlight: Gauge
    package let acceptance: Histogram

    // MARK: Store

    package let batchesWritten: Counter
    package let batchChanges: Histogram
    package let batchSync: Histogram

    // MARK: Delivery

    package let attempts: CounterTable<AttemptOutcome>
    package let deliveryConnections: Gauge
    package let dialFailures: Counter
    package let clientHandshakes: CounterTable<HandshakeOutcome>
    package let possibleDuplicates: Counter
    package let deliveryAge: Histogram
    package let reportsSent: CounterTable<ReportKind>
    package let doubleBounces: Counter

    // MARK: Names and operators

    package let lookups: Counter
    package let lookupFailures: Counter
    package let operatorActions: Counter

    package enum SessionRefusal: String, CaseIterable, Sendable {
        case sessionLimit = "session_limit"
        case networkLimit = "network_limit"
        case earlyTalker = "early_talker"
        case notSMTP = "not_smtp"
        case proxyHeader = "proxy_header"
        case octetsBehindStartTLS = "octets_behind_starttls"
        case errors, policy
    }

    package enum HandshakeOutcome: String, CaseIterable, Sendable { case done, failed, fallback }
    package enum AuthenticationOutcome: String, CaseIterable, Sendable { case accepted, refused, limited, cancelled, busy }
    package enum RefusalStage: String, CaseIterable, Sendable {
        case connection, hello, authentication, mail, recipient, content, store
    }
    package enum AttemptOutcome: String, CaseIterable, Sendable { case delivered, deferred, bounced, expired, lost }
    package enum ReportKind: String, CaseIterable, Sendable { case failure, delay, success, relayed }

    package init(registry: MetricRegistry = MetricRegistry()) {
        self.registry = registry
        let r = registry

        sessionsOpened = r.counter("chappe_sessions_total", "SMTP sessions that reached us.")
        sessionsOpen = r.gauge("chappe_sessions", "SMTP sessions open now.")
        sessionsRefused = r.counters(
            "chappe_sessions_refused_total", "Sessions that we ended, by cause.", label: "cause")
        serverHandshakes = r.counters(
            "chappe_tls_server_handshakes_total", "TLS handshakes of clients with us.", label: "outcome")
        authentications = r.counters(
            "chappe_authentications_total", "AUTH exchanges, by outcome.", label: "outcome")

        messagesAccepted = r.counter(
            "chappe_messages_accepted_total", "Messages that are durable here and were answered 250.")
        octetsAccepted = r.counter("chappe_octets_accepted_total", "Octets of accepted messages, as stored.")
        recipientsAccepted = r.counter("chappe_recipients_accepted_total", "Recipients of accepted messages.")
        refusals = r.counters("chappe_refusals_total", "Answers 5yz to clients, by stage.", label: "stage")
        temporaryRefusals = r.counters(
            "chappe_temporary_refusals_total", "Answers 4yz to clients, by stage.", label: "stage")
        lineEndsRepaired = r.counter(
            "chappe_line_ends_repaired_total", "Messages that held a bare CR or LF, which was made CRLF.")
        intakeOctetsInFlight = r.gauge(
            "chappe_intake_octets_in_flight", "Octets of messages received and not yet durable.")
        acceptance = r.histogram(
            "chappe_acceptance_seconds", "From the end of data to its 250.", .latency())

        batchesWritten = r.counter("chappe_store_batches_total", "Write batches synced by the queue store.")
        batchChanges = r.histogram(
            "chappe_store_batch_changes", "Changes of the queue in one batch.", .amount())
        batchSync = r.histogram(
            "chappe_store_sync_seconds", "Write and sync of one batch.", .latency())

        attempts = r.counters(
            "chappe_attempts_total", "Recipients tried, by what became of them.", label: "outcome")
        deliveryConnections = r.gauge("chappe_delivery_connections", "Connections to next hops open now.")
        dialFailures = r.counter("chappe_dial_failures_total", "Connections to next hops that did not stand.")
        clientHandshakes = r.counters(
            "chappe_tls_client_handshakes_total", "Our TLS handshakes with next hops; fallback: tried again in clear.",
            label: "outcome")
        possibleDuplicates = r.counter(
            "chappe_possible_duplicates_total", "Recipients whose connection broke after the final dot.")
        deliveryAge = r.histogram(
            "chappe_delivery_age_seconds", "From acceptance to delivery, each recipient.", .age())
        reportsSent = r.counters("chappe_reports_total", "Delivery reports queued, by kind.", label: "kind")
        doubleBounces = r.counter(
            "chappe_double_bounces_total", "Failures of messages that nobody can be told of.")

        lookups = r.counter("chappe_dns_lookups_total", "DNS questions that were not answered from memory.")
        lookupFailures = r.counter("chappe_dns_failures_total", "DNS questions without a usable answer.")
        operatorActions = r.counter("chappe_operator_actions_total", "Changes made through the admin socket.")
    }
}
