import DequeModule
import MailValues
import QueueEngine
import SMTPProtocol

/// One site as the dispatcher sees it: hosts, health, the domains that wait for it, the connections that wait
/// for mail.
struct Site: Sendable {
    var destination: Destination
    var concurrency: SiteConcurrency
    /// Domains with ready entries, each once; they take turns.
    var queue: Deque<DomainIndex> = []
    /// Workers with an open connection and nothing to do; the last used is the first to be used again.
    var idle: [Idle] = []
    /// It stands in a queue for a share that was full.
    var isWaiting = false
    /// Domains whose mail goes here.
    var domainCount = 0
    var lastFailure: HostFailure?

    struct Idle: Sendable {
        var worker: Int
        /// Where it is served, among the dispatcher's executors.
        var home: Int?
    }

    /// No site.
    static let gone = Site(
        destination: Destination(ranks: [], tls: .none, isFromDNS: true, key: SiteKey(ranks: [], manner: "")),
        concurrency: SiteConcurrency(ceiling: 1, limits: ConcurrencyLimits()))
}

/// What the dispatcher knows of a destination domain.
struct DomainKnowledge: Sendable {
    enum Kind {
        case unknown
        /// `until`: then it is looked up again; mail goes on meanwhile.
        case site(Int, until: Timestamp)
        case never(Reply, until: Timestamp)
        /// Nobody could say where it goes; it rests.
        case resting(until: Timestamp)
    }

    var kind = Kind.unknown
    var isResolving = false
    /// It is to be looked at with one of the next ticks.
    var isAwaited = false
    /// It stands in its site's queue.
    var isQueued = false
    var lookUpFailures = 0
}

/// One connection, from the wish for it to its end.
struct Worker: Sendable {
    enum Phase {
        case opening(since: Timestamp, PatienceShare.Place)
        case busy
        /// Open, waiting for mail.
        case idle(since: Timestamp, CheckedContinuation<Work?, Never>)
        /// It has sent all that may be unrecorded, and waits for the store.
        case awaitingRecord(CheckedContinuation<Work?, Never>)
    }

    var site: Int
    var share: SiteConcurrency.Share
    var phase: Phase
    var provider: String?
    /// Outcomes on their way to the disk.
    var unrecordedCount = 0
    /// Its opening took too long.
    var isGivenUp = false
    /// It was given up only for another one's sake: nothing is known of its site.
    var gaveWay = false
    var dialling: Task<any ClientConnection, any Error>?
    var connection: (any ClientConnection)?
    /// Where it is served, among the dispatcher's executors.
    var home: Int?
    /// Its task is over; its number is free once the last outcome is recorded.
    var hasEnded = false

    /// No worker.
    static let gone = Worker(site: 0, share: .unknown, phase: .busy)
}
