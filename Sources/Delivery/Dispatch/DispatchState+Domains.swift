import DequeModule
import MailValues
import QueueEngine

extension DispatchState {
    /// Entries suspended in one step, so that no step is long.
    static let suspensionBatch = 256

    /// A domain has ready entries: they go to its site, or to who finds it out.
    mutating func wake(_ domain: DomainIndex, now: Timestamp, _ effects: inout Effects) {
        guard !isStopping, scheduler.readyCount(of: domain) > 0 else { return }
        let knowledge = domains[Int(domain.rawValue)]
        switch knowledge.kind {
        case .unknown: resolve(domain, now: now, &effects)
        case .site(let site, let until):
            if now >= until { resolve(domain, now: now, &effects) }
            join(domain, site, now: now, &effects)
        case .never(let reply, let until):
            if now >= until {
                resolve(domain, now: now, &effects)
            } else {
                settleAll(domain, .never(reply), now: now, &effects)
            }
        case .resting(let until):
            if now >= until {
                resolve(domain, now: now, &effects)
            } else {
                suspend(domain, until: until, now: now, &effects)
            }
        }
    }

    // MARK: Look-ups

    private mutating func resolve(_ domain: DomainIndex, now: Timestamp, _ effects: inout Effects) {
        guard !domains[Int(domain.rawValue)].isResolving else { return }
        domains[Int(domain.rawValue)].isResolving = true
        guard resolving.hasRoom else {
            resolveQueue.append(domain)
            return
        }
        startLookUp(domain, now: now, &effects)
    }

    private mutating func startLookUp(_ domain: DomainIndex, now: Timestamp, _ effects: inout Effects) {
        lookUps[domain] = (now, resolving.enter())
        effects.jobs.append(.resolve(domain, scheduler.domain(domain)))
    }

    mutating func startLookUps(now: Timestamp, _ effects: inout Effects) {
        while resolving.hasRoom, let next = resolveQueue.popFirst() { startLookUp(next, now: now, &effects) }
    }

    /// - Parameter number: of the settings under which it was looked up.
    mutating func resolved(
        _ domain: DomainIndex, _ answer: DestinationAnswer, under number: Int, now: Timestamp,
        _ effects: inout Effects
    ) {
        if let lookUp = lookUps.removeValue(forKey: domain) { resolving.leave(lookUp.place) }
        let place = Int(domain.rawValue)
        domains[place].isResolving = false
        guard number == settingsNumber else {
            // The settings changed meanwhile: it is looked up once more.
            wake(domain, now: now, &effects)
            startLookUps(now: now, &effects)
            return
        }
        switch answer {
        case .found(let destination, let life):
            domains[place].lookUpFailures = 0
            enterSite(domain, destination, until: now + life)
        case .never(let reply):
            leaveSite(domain)
            domains[place].kind = .never(reply, until: now + .seconds(300))
        case .notNow(let reply):
            lookUpFailed(domain, reply, now: now, &effects)
        }
        wake(domain, now: now, &effects)
        startLookUps(now: now, &effects)
    }

    /// Who was found before stays believed for a while; else the domain rests, and one entry's failure is
    /// recorded.
    private mutating func lookUpFailed(
        _ domain: DomainIndex, _ reply: Reply, now: Timestamp, _ effects: inout Effects
    ) {
        let place = Int(domain.rawValue)
        domains[place].lookUpFailures += 1
        let failures = domains[place].lookUpFailures
        let limits = settings.limits
        let wait = min(limits.siteRestFirst * (1 << min(failures - 1, 16)), limits.siteRestLongest)
        let until = now + wait * Double.random(in: 0.8...1.2, using: &random)
        if case .site(let site, _) = domains[place].kind, sites[site].concurrency.health == .living,
            failures < 6
        {
            domains[place].kind = .site(site, until: until)
            return
        }
        leaveSite(domain)
        domains[place].kind = .resting(until: until)
        if let slot = scheduler.take(from: domain) {
            settle(slot, .failed(HostFailure(reply: reply, host: nil, isOurWord: true)), now: now, &effects)
        }
    }

    // MARK: Sites

    private mutating func enterSite(_ domain: DomainIndex, _ destination: Destination, until: Timestamp) {
        let place = Int(domain.rawValue)
        let number: Int
        if let known = siteNumbers[destination.key] {
            number = known
            sites[known].destination = destination
        } else {
            let limits = settings.limits
            let ceiling = destination.isFromDNS ? limits.connectionsPerSite : limits.connectionsPerRoute
            number = sites.insert(
                Site(
                    destination: destination,
                    concurrency: SiteConcurrency(
                        ceiling: ceiling, isRoute: !destination.isFromDNS, limits: limits)))
            siteNumbers[destination.key] = number
        }
        if case .site(number, _) = domains[place].kind {
            domains[place].kind = .site(number, until: until)
            return
        }
        leaveSite(domain)
        sites[number].domainCount += 1
        domains[place].kind = .site(number, until: until)
    }

    mutating func leaveSite(_ domain: DomainIndex) {
        let place = Int(domain.rawValue)
        guard case .site(let number, _) = domains[place].kind else { return }
        if domains[place].isQueued {
            sites[number].queue.removeAll { $0 == domain }
            domains[place].isQueued = false
        }
        sites[number].domainCount -= 1
        domains[place].kind = .unknown
    }

    private mutating func join(_ domain: DomainIndex, _ site: Int, now: Timestamp, _ effects: inout Effects) {
        if case .resting(let until) = sites[site].concurrency.permission(now: now) {
            suspend(domain, until: until, now: now, &effects)
            return
        }
        if !domains[Int(domain.rawValue)].isQueued {
            domains[Int(domain.rawValue)].isQueued = true
            sites[site].queue.append(domain)
        }
        pump(site, now: now, &effects)
    }

    // MARK: Entries that cannot go

    /// Puts a batch of the domain's ready entries to rest; the others follow with the next tick.
    mutating func suspend(
        _ domain: DomainIndex, until: Timestamp, now: Timestamp, _ effects: inout Effects
    ) {
        let spread = max((until - now) / 5, .seconds(1))
        for _ in 0..<Self.suspensionBatch {
            guard let slot = scheduler.take(from: domain) else { return }
            if scheduler.isOverdue(slot, now: now) {
                settle(slot, .overdue, now: now, &effects)
                continue
            }
            _ = fresh.take(slot)
            // Not beyond its time: its sender is to hear of it then.
            let due = min(
                until + spread * Double.random(in: 0...1, using: &random), scheduler.deadline(slot))
            scheduler.putOff(slot, until: due, failures: scheduler.failures(slot), restsWithSite: true)
            counters.suspended += 1
        }
        if scheduler.readyCount(of: domain) > 0 { awaken(domain) }
    }

    private mutating func settleAll(
        _ domain: DomainIndex, _ cause: Matter.Cause, now: Timestamp, _ effects: inout Effects
    ) {
        for _ in 0..<Self.suspensionBatch {
            guard let slot = scheduler.take(from: domain) else { return }
            settle(slot, cause, now: now, &effects)
        }
        if scheduler.readyCount(of: domain) > 0 { awaken(domain) }
    }

    private mutating func settle(
        _ slot: Slot, _ cause: Matter.Cause, now: Timestamp, _ effects: inout Effects
    ) {
        settle(Matter(work: work(slot, takingFresh: true), cause: cause), now: now, &effects)
    }

    mutating func work(_ slot: Slot, takingFresh: Bool) -> Work {
        Work(
            slot: slot, id: scheduler.id(slot), domain: scheduler.domain(scheduler.domainIndex(slot)),
            failures: scheduler.failures(slot), fresh: takingFresh ? fresh.take(slot) : nil)
    }
}
