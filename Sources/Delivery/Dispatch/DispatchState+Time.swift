import DequeModule
import MailValues
import QueueEngine

extension DispatchState {
    /// Between two looks at all sites and connections.
    static let round: Duration = .milliseconds(250)
    /// Entries that become due in one step.
    static let dueBatch = 1_024
    /// Domains that are looked at in one step.
    static let awakenBatch = 16
    /// Domains without mail that are remembered, so that the next message needs no look-up.
    static let idleDomainLimit = 8_192

    /// What time alone brings about.
    ///
    /// - Returns: whether more is waiting to be done at once.
    mutating func tick(now: Timestamp, mayDeliver: Bool, _ effects: inout Effects) -> Bool {
        self.mayDeliver = mayDeliver
        // What looks at everything comes once in a while; a step that follows at once has its batch to do.
        let isRound = now >= nextRound || isStopping
        if isRound {
            nextRound = now + Self.round
            watchOpenings(now: now, &effects)
            watchLookUps(now: now)
            dismissIdle(now: now, &effects)
        }
        guard !isStopping else {
            if let abortAt, now >= abortAt { abortAll(&effects) }
            return false
        }
        var isMore = false
        if mayDeliver {
            var ready: [DomainIndex] = []
            isMore = scheduler.advance(to: now, limit: Self.dueBatch) {
                if ready.last != $0 { ready.append($0) }
            }
            for domain in ready { wake(domain, now: now, &effects) }
            for _ in 0..<min(resting.count, Self.awakenBatch) {
                guard let domain = resting.popFirst() else { break }
                domains[Int(domain.rawValue)].isAwaited = false
                wake(domain, now: now, &effects)
            }
            endGatherings(now: now, &effects)
            startSettlers(&effects)
            isMore = isMore || !resting.isEmpty
            // What waited for the store, or for a share, and was woken by nobody.
            if isRound {
                for site in sites.places where sites.holds(site) && !sites[site].queue.isEmpty {
                    pump(site, now: now, &effects)
                }
            }
        }
        openWaiting(now: now, &effects)
        startLookUps(now: now, &effects)
        if scheduler.idleDomainCount > Self.idleDomainLimit { forgetIdle() }
        return isMore
    }

    // MARK: Patience

    private mutating func watchOpenings(now: Timestamp, _ effects: inout Effects) {
        let limits = settings.limits
        for number in workers.places where workers.holds(number) {
            guard !workers[number].hasEnded, case .opening(let since, let place) = workers[number].phase
            else { continue }
            let age = now - since
            if place != .slow && age >= limits.patienceQuick {
                if becameSlow(workers[number].share, place) {
                    workers[number].phase = .opening(since: since, .slow)
                } else if place == .kept {
                    workers[number].gaveWay = true
                }
            }
            let isPressed =
                switch workers[number].share {
                case .living: false
                case .unknown: openingUnknown.isCrowded && !(waitingUnknown.isEmpty && waitingAgain.isEmpty)
                case .probe: openingProbes.isCrowded && !waitingProbes.isEmpty
                }
            if isStopping || workers[number].gaveWay || age >= limits.patienceLongest
                || (isPressed && age >= limits.patienceUnderPressure)
            {
                workers[number].isGivenUp = true
                if let task = workers[number].dialling { effects.givenUp.append(task) }
            }
        }
    }

    private mutating func becameSlow(_ share: SiteConcurrency.Share, _ place: PatienceShare.Place) -> Bool {
        switch share {
        case .living: false
        case .unknown: openingUnknown.becameSlow(place)
        case .probe: openingProbes.becameSlow(place)
        }
    }

    private mutating func watchLookUps(now: Timestamp) {
        guard !lookUps.isEmpty else { return }
        for (domain, lookUp) in lookUps
        where lookUp.place == .quick && now - lookUp.since >= settings.limits.patienceQuick {
            if resolving.becameSlow(.quick) { lookUps[domain] = (lookUp.since, .slow) }
        }
    }

    private mutating func dismissIdle(now: Timestamp, _ effects: inout Effects) {
        // Where living sites wait for a place, whoever has nothing to do makes room.
        let isCrowded = !waitingLiving.isEmpty && livingCount >= settings.limits.connectionsTotal
        for number in workers.places where workers.holds(number) {
            if isStopping, case .awaitingRecord(let continuation) = workers[number].phase {
                workers[number].phase = .busy
                effects.resumed.append((continuation, nil))
            }
            guard case .idle(let since, _) = workers[number].phase else { continue }
            if isStopping || isCrowded || now - since >= settings.limits.idleReuse {
                dismiss(number, &effects)
            }
        }
    }

    // MARK: The end

    /// Nothing new begins; idle connections go home, openings are given up.
    mutating func stop(abortAt moment: Timestamp, now: Timestamp, _ effects: inout Effects) {
        isStopping = true
        abortAt = moment
        resolveQueue.removeAll()
        resting.removeAll()
        endAllGatherings(&effects)
        watchOpenings(now: now, &effects)
        dismissIdle(now: now, &effects)
    }

    private mutating func abortAll(_ effects: inout Effects) {
        for number in workers.places where workers.holds(number) {
            if let connection = workers[number].connection { effects.aborted.append(connection) }
        }
    }

    /// Nobody runs any more, and no outcome is on its way to the disk.
    var isAtRest: Bool { workers.count == 0 && settlerCount == 0 && lookUps.isEmpty }

    private mutating func forgetIdle() {
        var forgotten: [DomainIndex] = []
        scheduler.forgetIdleDomains { domain in
            guard Int(domain.rawValue) < domains.count, !domains[Int(domain.rawValue)].isResolving,
                !domains[Int(domain.rawValue)].isAwaited
            else { return false }
            forgotten.append(domain)
            return true
        }
        for domain in forgotten {
            leaveSite(domain)
            domains[Int(domain.rawValue)] = DomainKnowledge()
        }
        for number in sites.places where sites.holds(number) { retire(number) }
    }
}
