import DequeModule
import MailValues
import QueueEngine

/// Everything the dispatcher knows, behind one lock: short steps, no waiting, no disk.
///
/// Domains lead to sites, sites to connections. Each step says in `effects` what is to be done once the lock
/// is free.
struct DispatchState: ~Copyable, Sendable {
    var scheduler = Scheduler()
    var settings: DeliverySettings
    /// Counts the settings: what was found out under earlier ones is not believed.
    var settingsNumber = 0
    var random: SplitMix
    var fresh: FreshCache
    var fingerprints = FingerprintIndex()
    /// By which messages were held when they were admitted, and nobody has asked yet.
    var verdictHolds: Set<Fingerprint> = []
    var counters = DeliveryCounters()

    /// By `DomainIndex`.
    var domains: [DomainKnowledge] = []
    var sites = Slots<Site>()
    var siteNumbers: [SiteKey: Int] = [:]
    var workers = Slots<Worker>()

    var resolving: PatienceShare
    var resolveQueue: Deque<DomainIndex> = []
    var lookUps: [DomainIndex: (since: Timestamp, place: PatienceShare.Place)] = [:]

    var openingUnknown: PatienceShare
    var openingProbes: PatienceShare
    /// Connections to living sites, on their way and open.
    var livingCount = 0
    var providerCounts: [String: Int] = [:]
    /// Sites that wait for a place, by share.
    var waitingLiving: Deque<Int> = []
    var waitingUnknown: Deque<Int> = []
    /// Those that gave way once, and do not again.
    var waitingAgain: Deque<Int> = []
    var takesNewestUnknown = true
    var waitingProbes: Deque<Int> = []

    /// Domains with ready entries that are to be looked at with the next ticks, a batch at a time.
    var resting: Deque<DomainIndex> = []
    /// What is to be settled without a connection; that of one message together.
    var matters: Deque<[Matter]> = []
    /// Matters of messages of which more may end at any moment, and until when each is waited for.
    var gathered: [QueueID: [Matter]] = [:]
    var gathering: Deque<(until: Timestamp, id: QueueID)> = []
    var settlerCount = 0

    /// Outcomes that the store refused.
    var unrecorded: [Record] = []
    var unrecordedNext = Timestamp(milliseconds: .min)

    /// Messages whose envelopes an operator's order is rewriting: nobody else may meanwhile.
    var amending: Set<QueueID> = []

    /// Everything that the store held at the start is scheduled.
    var isRebuilt = false

    /// The store can record outcomes: without that nothing is attempted.
    var mayDeliver = true

    /// Set once: nothing new is begun, and after `abortAt` what still runs is cut.
    var isStopping = false
    var nextRound = Timestamp(milliseconds: .min)
    var abortAt: Timestamp?

    init(settings: DeliverySettings, seed: UInt64) {
        self.settings = settings
        random = SplitMix(seed: seed)
        fresh = FreshCache(octetLimit: settings.freshOctetLimit)
        let limits = settings.limits
        resolving = PatienceShare(quickLimit: limits.resolvingQuick, slowLimit: limits.resolvingSlow)
        openingUnknown = PatienceShare(
            quickLimit: limits.openingUnknown, slowLimit: limits.openingSlow, keptLimit: limits.openingNewest)
        openingProbes = PatienceShare(quickLimit: limits.openingProbes, slowLimit: limits.openingProbesSlow)
    }

    // MARK: Mail comes

    /// Takes a message into the schedule, unless it is there already; wakes nobody.
    ///
    /// - Parameter ready: collects the domains that got a ready entry.
    mutating func admit(_ envelope: Envelope, content: [[UInt8]]?, now: Timestamp, ready: inout [DomainIndex])
    {
        // What was offered to another node may be attempted there.
        guard !isStopping, envelope.offered == nil, !scheduler.knows(envelope.id) else { return }
        index(envelope)
        let schedule = settings.retry
        let terms = Scheduler.Terms(
            deadline: schedule.deadline(of: envelope), noticeAt: schedule.noticeAt(of: envelope),
            sizeOctets: envelope.sizeOctets, priority: envelope.priority, isHeld: envelope.hold != nil)
        let recipients = envelope.recipients
        let isOneDomain = recipients.dropFirst().allSatisfy {
            $0.mailbox.domain == recipients[0].mailbox.domain
        }
        if isOneDomain {
            var first: EntryStart?
            for recipient in recipients where recipient.progress.state == .waiting {
                first.join(recipient.progress)
            }
            guard let first else { return }
            let slot = add(envelope, terms, recipients[0].mailbox.domain, first, now: now, ready: &ready)
            keep(envelope, content, slots: [slot])
            return
        }
        var order: [Domain] = []
        var starts: [Domain: EntryStart] = [:]
        for recipient in recipients where recipient.progress.state == .waiting {
            let domain = recipient.mailbox.domain
            if starts[domain] == nil { order.append(domain) }
            starts[domain].join(recipient.progress)
        }
        let slots = order.map {
            add(envelope, terms, $0, starts[$0] ?? EntryStart(), now: now, ready: &ready)
        }
        keep(envelope, content, slots: slots)
    }

    private mutating func add(
        _ envelope: Envelope, _ terms: Scheduler.Terms, _ domain: Domain, _ start: EntryStart, now: Timestamp,
        ready: inout [DomainIndex]
    ) -> Slot {
        let added = scheduler.add(
            envelope.id, terms: terms, domain: domain, due: start.due(notBefore: envelope.notBefore),
            failures: start.failures, now: now)
        while domains.count <= Int(added.domain.rawValue) { domains.append(DomainKnowledge()) }
        if added.isReady { ready.append(added.domain) }
        return added.slot
    }

    /// Content stays in memory where it will be wanted soon; for who must wait, a quarter of the room at
    /// most.
    private mutating func keep(_ envelope: Envelope, _ content: [[UInt8]]?, slots: [Slot]) {
        guard let content, !content.isEmpty, envelope.hold == nil, fresh.hasRoom(for: envelope.sizeOctets)
        else { return }
        let message = FreshMessage(envelope: envelope, content: content)
        for slot in slots {
            let index = scheduler.domainIndex(slot)
            if !isLiving(index) && fresh.octets > fresh.octetLimit / 4 { continue }
            fresh.insert(message, for: slot, entryCount: slots.count)
        }
    }

    /// The domain is looked at with one of the next ticks.
    mutating func awaken(_ domain: DomainIndex) {
        guard !domains[Int(domain.rawValue)].isAwaited else { return }
        domains[Int(domain.rawValue)].isAwaited = true
        resting.append(domain)
    }

    /// Everything known of domains is looked up again, while mail goes on the old way.
    mutating func expireKnowledge() {
        for place in domains.indices {
            switch domains[place].kind {
            case .site(let site, _): domains[place].kind = .site(site, until: Timestamp(milliseconds: .min))
            case .unknown, .never, .resting: domains[place].kind = .unknown
            }
        }
    }

    var status: DeliveryStatus {
        var status = DeliveryStatus()
        status.counters = counters
        status.messages = scheduler.messageCount
        status.waiting = scheduler.waitingCount
        status.ready = scheduler.readyCount
        status.inFlight = scheduler.inFlightCount
        status.held = scheduler.heldCount
        status.octets = scheduler.octets
        status.connections = livingCount
        status.sites = sites.count
        for number in sites.places where sites.holds(number) {
            status.connectionsIdle += sites[number].idle.count
            if case .dead = sites[number].concurrency.health { status.sitesResting += 1 }
        }
        status.freshOctets = fresh.octets
        return status
    }

    private func isLiving(_ domain: DomainIndex) -> Bool {
        guard case .site(let number, _) = domains[Int(domain.rawValue)].kind else { return false }
        return sites[number].concurrency.health == .living
    }
}

/// When an entry may first be tried, from the progress of its recipients.
private struct EntryStart {
    var earliest: Timestamp?
    var failures = 0

    func due(notBefore: Timestamp?) -> Timestamp? {
        guard let notBefore else { return earliest }
        return earliest.map { max($0, notBefore) } ?? notBefore
    }
}

extension EntryStart? {
    fileprivate mutating func join(_ progress: Recipient.Progress) {
        let next = progress.nextAttempt
        guard var start = self else {
            self = EntryStart(earliest: next, failures: Int(progress.attempts))
            return
        }
        start.earliest = start.earliest.flatMap { earliest in next.map { min(earliest, $0) } }
        start.failures = max(start.failures, Int(progress.attempts))
        self = start
    }
}
