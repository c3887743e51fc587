import DequeModule
import MailValues
import QueueEngine
import SMTPProtocol

extension DispatchState {
    /// Gives a site's ready entries to its idle connections, and wishes for more connections where that is
    /// not enough.
    mutating func pump(_ site: Int, now: Timestamp, _ effects: inout Effects) {
        guard mayDeliver else { return }
        while let place = sites[site].idle.indices.last {
            guard let work = take(site) else { return }
            let worker = sites[site].idle.remove(at: idlePlace(site, near: effects.home) ?? place).worker
            guard case .idle(_, let continuation) = workers[worker].phase else {
                preconditionFailure("whoever stands among the idle is idle")
            }
            workers[worker].phase = .busy
            effects.resumed.append((continuation, work))
        }
        openMore(site, now: now, &effects)
    }

    /// Of the idle connections last used, one that is served where the caller runs: a message that changes
    /// threads costs a wake-up, and the processor's cache of it.
    private func idlePlace(_ site: Int, near home: Int?) -> Int? {
        guard let home else { return nil }
        return sites[site].idle.lastIndex { $0.home == home }
    }

    /// As many connections on their way as entries wait, within what the site may have.
    ///
    /// - Parameter spokenFor: entries that a connection without work is about to take.
    private mutating func openMore(_ site: Int, spokenFor: Int = 0, now: Timestamp, _ effects: inout Effects)
    {
        guard !isStopping, mayDeliver, !sites[site].queue.isEmpty, !sites[site].isWaiting,
            case .open = sites[site].concurrency.permission(now: now)
        else { return }
        var ready = -spokenFor
        for domain in sites[site].queue {
            ready += scheduler.readyCount(of: domain)
            if ready > sites[site].concurrency.ceiling { break }
        }
        while ready > sites[site].concurrency.opening {
            guard case .open(let share) = sites[site].concurrency.permission(now: now) else { return }
            guard hasRoom(share, site) else {
                wait(site, for: share)
                return
            }
            open(site, share, now: now, &effects)
        }
    }

    /// The site took a message or refused it for reasons of its own: it works, and may have a connection
    /// more.
    mutating func answered(_ worker: Int, now: Timestamp, _ effects: inout Effects) {
        let site = workers[worker].site
        sites[site].concurrency.answered(now: now)
        openMore(site, now: now, &effects)
    }

    private func hasRoom(_ share: SiteConcurrency.Share, _ site: Int) -> Bool {
        switch share {
        case .unknown: return openingUnknown.hasRoomForNewest
        case .probe: return openingProbes.hasRoom
        case .living:
            if let provider = sites[site].destination.provider,
                providerCounts[provider, default: 0] >= settings.limits.connectionsPerProvider
            {
                return false
            }
            return livingCount < settings.limits.connectionsTotal
        }
    }

    private mutating func wait(_ site: Int, for share: SiteConcurrency.Share) {
        sites[site].isWaiting = true
        switch share {
        case .living: waitingLiving.append(site)
        case .unknown: waitingUnknown.append(site)
        case .probe: waitingProbes.append(site)
        }
    }

    private mutating func open(
        _ site: Int, _ share: SiteConcurrency.Share, now: Timestamp, _ effects: inout Effects
    ) {
        sites[site].concurrency.openingBegan()
        let provider = sites[site].destination.provider
        if let provider { providerCounts[provider, default: 0] += 1 }
        var place = PatienceShare.Place.quick
        switch share {
        case .living: livingCount += 1
        case .unknown: place = openingUnknown.enter()
        case .probe: place = openingProbes.enter()
        }
        let worker = workers.insert(
            Worker(site: site, share: share, phase: .opening(since: now, place), provider: provider))
        effects.jobs.append(.serve(worker: worker))
    }

    /// Sites that waited for a place get what has become free.
    mutating func openWaiting(now: Timestamp, _ effects: inout Effects) {
        for _ in 0..<min(waitingLiving.count, 64) where livingCount < settings.limits.connectionsTotal {
            guard let site = waitingLiving.popFirst() else { break }
            openWaiting(site, now: now, &effects)
        }
        while openingUnknown.hasRoom, let site = nextUnknown() {
            openWaiting(site, now: now, &effects)
        }
        while openingUnknown.hasRoomForNewest, let site = waitingUnknown.popLast() {
            openWaiting(site, now: now, &effects)
        }
        while openingProbes.hasRoom, let site = waitingProbes.popFirst() {
            openWaiting(site, now: now, &effects)
        }
    }

    /// The one that waits longest and the one that came last, by turns: behind ten thousand dead sites a new one that
    /// lives would wait for minutes, and those that have waited must not starve either.
    private mutating func nextUnknown() -> Int? {
        takesNewestUnknown.toggle()
        if takesNewestUnknown, let newest = waitingUnknown.popLast() { return newest }
        return waitingAgain.popFirst() ?? waitingUnknown.popFirst()
    }

    private mutating func openWaiting(_ site: Int, now: Timestamp, _ effects: inout Effects) {
        sites[site].isWaiting = false
        pump(site, now: now, &effects)
    }

    /// The next entry for a site: its domains take turns.
    mutating func take(_ site: Int) -> Work? {
        while let domain = sites[site].queue.popFirst() {
            if let slot = scheduler.take(from: domain) {
                if scheduler.readyCount(of: domain) > 0 {
                    sites[site].queue.append(domain)
                } else {
                    domains[Int(domain.rawValue)].isQueued = false
                }
                return work(slot, takingFresh: true)
            }
            domains[Int(domain.rawValue)].isQueued = false
        }
        return nil
    }

    // MARK: A connection's life

    /// The connection stands.
    mutating func opened(
        _ worker: Int, _ connection: any ClientConnection, at home: Int?, now: Timestamp,
        _ effects: inout Effects
    ) {
        endOpening(worker)
        let site = workers[worker].site
        if workers[worker].share != .living { livingCount += 1 }
        workers[worker].share = .living
        workers[worker].phase = .busy
        workers[worker].connection = connection
        workers[worker].home = home
        sites[site].concurrency.opened()
        sites[site].lastFailure = nil
        openMore(site, spokenFor: 1, now: now, &effects)
        openWaiting(now: now, &effects)
    }

    /// No host of the site took the connection: one entry's failure is recorded, the others rest with the
    /// site.
    mutating func openingFailed(
        _ worker: Int, _ failure: HostFailure, isForever: Bool, now: Timestamp, _ effects: inout Effects
    ) {
        endOpening(worker)
        let (site, gaveWay) = (workers[worker].site, workers[worker].gaveWay)
        if workers[worker].share == .living { livingCount -= 1 }
        forget(worker)
        if isStopping {
            sites[site].concurrency.openingAbandoned()
        } else if gaveWay {
            sites[site].concurrency.openingAbandoned()
            sites[site].isWaiting = true
            waitingAgain.append(site)
        } else if sites[site].concurrency.openingFailed(
            spoke: !failure.isOurWord, now: now, limits: settings.limits, using: &random)
        {
            counters.sitesFailed += 1
            sites[site].lastFailure = failure
            if let work = take(site) {
                let cause = isForever ? Matter.Cause.returned(failure) : .failed(failure)
                settle(Matter(work: work, cause: cause), now: now, &effects)
            }
            rest(site, now: now)
        }
        retire(site)
        openWaiting(now: now, &effects)
    }

    /// The site greeted us and then turned us away, at all its hosts.
    mutating func turnedAway(_ site: Int, _ failure: HostFailure, now: Timestamp) {
        sites[site].concurrency.rest(now: now, limits: settings.limits, using: &random)
        sites[site].lastFailure = failure
        rest(site, now: now)
    }

    /// All that waits for the site rests until it is looked at again.
    private mutating func rest(_ site: Int, now: Timestamp) {
        for domain in sites[site].queue {
            domains[Int(domain.rawValue)].isQueued = false
            awaken(domain)
        }
        sites[site].queue.removeAll()
    }

    /// When a route that rests is looked at again. An entry that failed with it goes on then, not at its own
    /// time: it is the route that failed, and all the others' mail goes.
    func routeRestEnd(of slot: Slot) -> Timestamp? {
        guard case .site(let number, _) = domains[Int(scheduler.domainIndex(slot).rawValue)].kind,
            sites[number].concurrency.isRoute, case .dead(let until, _) = sites[number].concurrency.health
        else { return nil }
        return until
    }

    private mutating func endOpening(_ worker: Int) {
        guard case .opening(_, let place) = workers[worker].phase else {
            preconditionFailure("a connection opens once")
        }
        workers[worker].dialling = nil
        switch workers[worker].share {
        case .living: break
        case .unknown: openingUnknown.leave(place)
        case .probe: openingProbes.leave(place)
        }
    }

    /// The connection is gone.
    mutating func closed(_ worker: Int, now: Timestamp, _ effects: inout Effects) {
        let site = workers[worker].site
        sites[site].concurrency.closed()
        livingCount -= 1
        workers[worker].connection = nil
        forget(worker)
        pump(site, now: now, &effects)
        retire(site)
        openWaiting(now: now, &effects)
    }

    private mutating func forget(_ worker: Int) {
        if let provider = workers[worker].provider {
            let count = providerCounts[provider, default: 1] - 1
            providerCounts[provider] = count == 0 ? nil : count
        }
        workers[worker].hasEnded = true
        if workers[worker].unrecordedCount == 0 { workers.remove(worker, leaving: .gone) }
    }
}
