import Cryptography
import DNSRecords
import MailValues
import MessageFormat
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import Synchronization
import Telemetry
import TestSupport

@testable import Intake

/// An intake with a queue in memory behind it, and everything that can be seen of it.
final class IntakeHouse: Sendable {
    let queue = MemoryQueue()
    let events = EventCollector()
    let feed = FeedCollector()
    let metrics = NodeMetrics()
    let budget: OctetBudget
    let census = SessionCensus()
    let clock = ManualClock()
    let flow: IntakeFlow

    /// What a test may want otherwise.
    struct Wishes {
        var kind = ClientStanding.ListenerKind.mx
        var authors = AuthorRule.own
        var budgetOctets = 1 << 30
        var accounts = AccountTable()
        var networks = NetworkSet([Network("192.0.2.0/24")!])
        var hopLimit = 100
        var chunkOctets = 256 * 1024
        var looksUpNames = false
        var sessionLimits = SessionCensus.Limits()
        var resolver: (any DNSResolver)?
        var recipients = RecipientDirectory.any
        var gate: (any IntakeGate)?
        var reputation = GateRule.off
        var verdicts = VerdictRule.off
        var slowing = Slowing()
        /// The store that intake sees, made of the queue in memory.
        var store: (MemoryQueue) -> any QueueStore = { $0 }
    }

    static let host = Domain("relay.example.test")
    static let postmaster = Mailbox(localPart: "postmaster", domain: Domain("example.test"))
    static let inside = IPAddress("192.0.2.7")!
    static let foreign = IPAddress("198.51.100.9")!
    static let cloud = IPAddress("203.0.113.5")!

    init(_ change: (inout Wishes) -> Void = { _ in }) {
        var wishes = Wishes()
        change(&wishes)
        budget = OctetBudget(limit: wishes.budgetOctets)
        let policy = Self.policy(wishes)
        var random = SystemRandomNumberGenerator()
        flow = IntakeFlow(
            policy: policy, store: wishes.store(queue), feed: feed, events: events, metrics: metrics,
            authenticator: Authenticator(
                accounts: wishes.accounts, serverSecret: [UInt8](repeating: 7, count: 32),
                workers: ImpatientWorkers()),
            resolver: wishes.resolver, budget: budget, census: census, ids: QueueIDSource(using: &random),
            gate: wishes.gate, slowing: wishes.slowing, clock: { [clock] in clock.now })
    }

    /// What a reload would bring.
    static func policy(_ wishes: Wishes) -> IntakePolicy {
        var listener = IntakePolicy.Listener(kind: wishes.kind)
        listener.looksUpNames = wishes.looksUpNames
        listener.authors = wishes.authors
        listener.reputation = wishes.reputation
        listener.verdicts = wishes.verdicts
        var rules = HeaderRules(authenticationServiceIDs: [Self.host.name])
        rules.limits.sectionOctets = min(rules.limits.sectionOctets, wishes.chunkOctets)
        return IntakePolicy(
            hostname: Self.host, postmaster: Self.postmaster,
            relay: RelayPolicy(Self.relay(wishes)), listeners: ["door": listener],
            headerRules: rules, sessionLimits: wishes.sessionLimits, hopLimit: wishes.hopLimit,
            chunkOctets: wishes.chunkOctets)
    }

    /// Relays for 192.0.2.0/24, takes mail for example.test, and shares 203.0.113.0/24 with strangers.
    private static func relay(_ wishes: Wishes) -> RelaySettings {
        var settings = RelaySettings(hostname: host, postmaster: postmaster)
        settings.networks = wishes.networks
        settings.relayDomains = [RelayDomain("example.test", recipients: wishes.recipients)]
        settings.sharedNetworks = [
            SharedNetwork(
                name: "cloud", networks: NetworkSet([Network("203.0.113.0/24")!]),
                senderDomains: [Domain("example.test")], authorDomains: [Domain("example.test")],
                headerName: "X-OriginatorOrg", headerValue: "example.test")
        ]
        return settings
    }

    func guest(from client: IPAddress = inside, account: String? = nil) -> Guest {
        Guest(flow, from: client, account: account)
    }

    /// The one message in the queue, as text.
    var onlyContent: String? {
        let contents = queue.contents
        guard contents.envelopes.count == 1, let id = contents.envelopes.keys.first else { return nil }
        return contents.pieces[id].map { String(decoding: $0.joined(), as: UTF8.self) }
    }

    /// Nothing of any message is kept anywhere: no octet counted, no chunk without its envelope.
    var isClean: Bool {
        let contents = queue.contents
        return budget.inUse == 0 && Set(contents.pieces.keys) == Set(contents.envelopes.keys)
    }
}

/// Says what was handed to delivery.
final class FeedCollector: MessageFeed {
    private let state = Mutex<[Envelope]>([])
    var arrived: [Envelope] { state.withLock { $0 } }
    func arrived(_ envelope: Envelope, content: [[UInt8]], on lane: (any Lane)?) {
        state.withLock { $0.append(envelope) }
    }
}

/// Digest at once.
private final class ImpatientWorkers: PasswordWorkers {
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        job()
        return true
    }
}
