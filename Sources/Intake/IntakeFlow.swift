package import DNSRecords
package import MailValues
package import QueueEngine
package import SMTPProtocol
import Synchronization
package import Telemetry

/// Takes messages: judges the envelope, reads the header section, has the message stored, and only then lets
/// the 250 go.
package final class IntakeFlow: MailReceiverFactory {
    package let store: any QueueStore
    package let feed: any MessageFeed
    package let events: any EventSink
    package let metrics: NodeMetrics
    package let authenticator: Authenticator
    package let resolver: (any DNSResolver)?
    package let budget: OctetBudget
    package let census: SessionCensus
    package let ids: QueueIDSource
    /// Nil: nothing is known of anybody.
    package let gate: (any IntakeGate)?
    package let slowing: Slowing
    package let bar = IntakeBar()
    package let clock: @Sendable () -> Timestamp
    private let current: Mutex<IntakePolicy>

    package init(
        policy: IntakePolicy, store: any QueueStore, feed: any MessageFeed, events: any EventSink,
        metrics: NodeMetrics, authenticator: Authenticator, resolver: (any DNSResolver)?, budget: OctetBudget,
        census: SessionCensus, ids: QueueIDSource, gate: (any IntakeGate)? = nil,
        slowing: Slowing = Slowing(),
        clock: @escaping @Sendable () -> Timestamp
    ) {
        current = Mutex(policy)
        self.store = store
        self.feed = feed
        self.events = events
        self.metrics = metrics
        self.authenticator = authenticator
        self.resolver = resolver
        self.budget = budget
        self.census = census
        self.ids = ids
        self.gate = gate
        self.slowing = slowing
        self.clock = clock
    }

    package var policy: IntakePolicy { current.withLock { $0 } }

    /// Transactions that are open end under the policy under which they began; the next of a session goes by this.
    package func adopt(_ policy: IntakePolicy) { current.withLock { $0 = policy } }

    package func receiver(for facts: ConnectionFacts, listener: ListenerName) -> any MailReceiver {
        IntakeSession(facts: facts, listener: listener, flow: self, policy: policy)
    }
}
