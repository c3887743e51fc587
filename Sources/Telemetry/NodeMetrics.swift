/// Every metric of a node: the name on the page, what it counts, and who may count it.
///
/// A name once given stays, because dashboards and alerts stand on it.
package final class NodeMetrics: Sendable {
    package let registry: MetricRegistry

    // MARK: Sessions

    package let sessionsOpened: Counter
    package let sessionsOpen: Gauge
    package let sessionsRefused: CounterTable<SessionRefusal>
    package let authentications: CounterTable<AuthenticationOutcome>

    // MARK: Gate

    package let gateRefused: CounterTable<GateCause>
    package let gateSlowed: CounterTable<GateCause>
    package let gateNoted: CounterTable<GateCause>
    package let verdictDeeds: CounterTable<VerdictDeed>
    package let verdictsHeld: Counter
    package let verdictsFreed: Counter

    // MARK: Intake

    package let messagesAccepted: Counter
    package let octetsAccepted: Counter
    package let recipientsAccepted: Counter
    package let refusals: CounterTable<RefusalStage>
    package let temporaryRefusals: CounterTable<RefusalStage>
    package let lineEndsRepaired: Counter
    package let intakeOctetsInFlight: Gauge

    // MARK: Queue and store

    package let queuedMessages: Gauge
    package let queueEntries: GaugeTable<EntryState>
    package let queueOldest: Gauge
    package let storeBatches: Counter
    package let storeFailures: Counter
    package let storeFree: Gauge
    package let storeSick: Gauge
    package let storeDamages: Gauge
    package let intakeStopped: Gauge
    package let deliveryStopped: Gauge

    // MARK: Delivery

    package let attempts: CounterTable<AttemptOutcome>
    package let deliveryConnections: Gauge
    package let sitesResting: Gauge
    package let dialFailures: Counter
    package let clearFallbacks: Counter
    package let possibleDuplicates: Counter
    package let reportsSent: Counter
    package let doubleBounces: Counter

    // MARK: Cluster

    package let clusterMembers: GaugeTable<MemberStanding>
    package let clusterOrders: Gauge
    package let clusterQuarantined: Gauge
    package let clusterCloneSeen: Gauge
    package let clusterOctetsSent: CounterTable<LinkChannel>
    package let clusterOctetsReceived: CounterTable<LinkChannel>
    package let clusterFramesDropped: CounterTable<FrameDrop>
    package let clusterRefusals: CounterTable<ClusterRefusal>
    package let leavingMessages: Gauge
    package let takenOver: Gauge

    // MARK: Names, operators, the node itself

    package let lookups: Counter
    package let lookupFailures: Counter
    package let operatorActions: Counter
    package let eventsDropped: Counter
    package let draining: Gauge
    package let certificateExpiry: Gauge

    package enum SessionRefusal: String, CaseIterable, Sendable {
        case sessionLimit = "session_limit"
        case networkLimit = "network_limit"
        case earlyTalker = "early_talker"
        case notSMTP = "not_smtp"
        case proxyHeader = "proxy_header"
        case octetsBehindStartTLS = "octets_behind_starttls"
        case errors, policy
    }

    package enum AuthenticationOutcome: String, CaseIterable, Sendable {
        case accepted, refused, limited, cancelled, busy
    }
    package enum GateCause: String, CaseIterable, Sendable { case order, own, agreed, word, reputation }
    package enum VerdictDeed: String, CaseIterable, Sendable { case noted, held, rejected }
    package enum RefusalStage: String, CaseIterable, Sendable {
        case connection, hello, authentication, mail, recipient, content, store
    }
    package enum EntryState: String, CaseIterable, Sendable { case ready, active, deferred, held }
    package enum AttemptOutcome: String, CaseIterable, Sendable {
        case delivered, deferred, bounced, expired
    }

    package enum MemberStanding: String, CaseIterable, Sendable {
        case joining, alive, draining, parked, suspect, dead, left
    }
    package enum LinkChannel: String, CaseIterable, Sendable { case control, bulk }
    package enum FrameDrop: String, CaseIterable, Sendable {
        case mailboxFull = "mailbox_full"
        case notConnected = "not_connected"
        case peerFull = "peer_full"
        case tooLong = "too_long"
        case stale, overflow
    }
    package enum ClusterRefusal: String, CaseIterable, Sendable {
        case strangerKey = "stranger_key"
        case withdrawnKey = "withdrawn_key"
        case malformed
        case otherVersion = "other_version"
        case otherCluster = "other_cluster"
        case otherName = "other_name"
        case stranger, fact, order, admission, token, visitor
    }

    package init(registry: MetricRegistry = MetricRegistry()) {
        self.registry = registry
        let r = registry

        sessionsOpened = r.counter("chappe_sessions_total", "SMTP sessions that reached us.")
        sessionsOpen = r.gauge("chappe_sessions", "SMTP sessions open now.")
        sessionsRefused = r.counters(
            "chappe_sessions_refused_total", "Sessions that we ended, by cause.", label: "cause")
        authentications = r.counters(
            "chappe_authentications_total", "AUTH exchanges, by outcome.", label: "outcome")

        gateRefused = r.counters(
            "chappe_gate_refused_total",
            "Clients and accounts turned away for what is known of them, by cause.",
            label: "cause")
        gateSlowed = r.counters(
            "chappe_gate_slowed_total", "Clients and accounts answered slowly, by cause.", label: "cause")
        gateNoted = r.counters(
            "chappe_gate_noted_total",
            "Clients and accounts let in although something is known of them, by cause.",
            label: "cause")
        verdictDeeds = r.counters(
            "chappe_verdict_messages_total", "Messages that came in and bore a verdict, by what was done.",
            label: "deed")
        verdictsHeld = r.counter(
            "chappe_verdict_queue_held_total", "Queued messages held by a verdict that came after them.")
        verdictsFreed = r.counter(
            "chappe_verdict_queue_freed_total", "Messages freed because their verdict was taken back.")

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

        queuedMessages = r.gauge("chappe_queue_messages", "Messages in the queue.")
        queueEntries = r.gauges(
            "chappe_queue_entries", "Messages for one destination each, by state.", label: "state")
        queueOldest = r.gauge("chappe_queue_oldest_seconds", "Age of the oldest message; 0: there is none.")
        storeBatches = r.counter("chappe_store_batches_total", "Write batches synced by the queue store.")
        storeFailures = r.counter("chappe_store_failures_total", "Write batches that the store refused.")
        storeFree = r.gauge("chappe_store_free_octets", "Octets free in the store's file system.")
        storeSick = r.gauge("chappe_store_sick", "1 while the store cannot write.")
        storeDamages = r.gauge(
            "chappe_store_damages",
            "Places met since the start where the store's octets are not what was written.")
        intakeStopped = r.gauge(
            "chappe_intake_stopped", "1 while mail is put off with 4yz, for room or sickness.")
        deliveryStopped = r.gauge("chappe_delivery_stopped", "1 while no attempt could be recorded.")

        attempts = r.counters(
            "chappe_attempts_total", "Recipients tried, by what became of them.", label: "outcome")
        deliveryConnections = r.gauge("chappe_delivery_connections", "Connections to next hops open now.")
        sitesResting = r.gauge(
            "chappe_sites_resting", "Destinations that answer nobody, and rest between looks.")
        dialFailures = r.counter("chappe_dial_failures_total", "Connections to next hops that did not stand.")
        clearFallbacks = r.counter(
            "chappe_tls_fallbacks_total", "Next hops that were tried again in clear, since their TLS failed.")
        possibleDuplicates = r.counter(
            "chappe_possible_duplicates_total", "Recipients whose connection broke after the final dot.")
        reportsSent = r.counter("chappe_reports_total", "Delivery reports queued.")
        doubleBounces = r.counter(
            "chappe_double_bounces_total", "Failures of messages that nobody can be told of.")

        clusterMembers = r.gauges(
            "chappe_cluster_members",
            "Members of the cluster, this node among them, by the state in which it sees them; all 0: in no cluster.",
            label: "state")
        clusterOrders = r.gauge(
            "chappe_cluster_orders", "Orders of the operator that hold, lifted ones not counted.")
        clusterQuarantined = r.gauge(
            "chappe_cluster_quarantined",
            "1 while the node may not deliver: evicted, a restored store, a second process with its key.")
        clusterCloneSeen = r.gauge(
            "chappe_cluster_clone_seen", "1 once another process with this node's key was heard.")
        clusterOctetsSent = r.counters(
            "chappe_cluster_octets_sent_total", "Octets of frames sent to other members.", label: "channel")
        clusterOctetsReceived = r.counters(
            "chappe_cluster_octets_received_total", "Octets of frames that came from other members.",
            label: "channel")
        clusterFramesDropped = r.counters(
            "chappe_cluster_frames_dropped_total", "Frames between members that went no further, by cause.",
            label: "cause")
        clusterRefusals = r.counters(
            "chappe_cluster_refusals_total",
            "Keys, frames, facts, orders and tokens that were not believed, by cause.",
            label: "cause")
        leavingMessages = r.gauge(
            "chappe_leaving_messages", "Messages that this node, which leaves, has still to give away.")
        takenOver = r.gauge(
            "chappe_taken_over_messages", "Messages taken from leaving members since the start.")

        lookups = r.counter("chappe_dns_lookups_total", "DNS questions that were not answered from memory.")
        lookupFailures = r.counter("chappe_dns_failures_total", "DNS questions without a usable answer.")
        operatorActions = r.counter("chappe_operator_actions_total", "Changes made through the admin socket.")
        eventsDropped = r.counter(
            "chappe_events_dropped_total", "Event lines that the disk was too slow for.")
        draining = r.gauge("chappe_draining", "1 while the node takes no new sessions.")
        certificateExpiry = r.gauge(
            "chappe_certificate_expiry_seconds",
            "Unix time at which the first certificate ends; 0: there is none.")
    }
}
