import DequeModule
import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import Synchronization

extension DispatchState {
    /// Takes new settings. Domains whose mail they send elsewhere, or in another manner, leave their sites at
    /// once: not one entry more goes the old way, and the old site's rest is not theirs.
    ///
    /// - Returns: those domains. What waits of them is to be hastened.
    mutating func adopt(_ settings: DeliverySettings, now: Timestamp) -> Set<DomainIndex> {
        let before = self.settings
        self.settings = settings
        settingsNumber += 1
        fresh.octetLimit = settings.freshOctetLimit
        expireKnowledge()
        let isOtherwise = settings.reachesOtherwise(than: before)
        guard isOtherwise || settings.mayRouteElsewhere(than: before) else { return [] }
        var rerouted: Set<DomainIndex> = []
        for place in domains.indices {
            let index = DomainIndex(rawValue: UInt32(place))
            if isOtherwise || settings.routesElsewhere(scheduler.domain(index), than: before) {
                rerouted.insert(index)
            }
        }
        leaveSites(rerouted, now: now)
        takeBackMatters(of: rerouted)
        return rerouted
    }

    /// As `leaveSite`, for many domains at once: a site's queue is gone through once, however many leave it.
    private mutating func leaveSites(_ leaving: Set<DomainIndex>, now: Timestamp) {
        var left: Set<Int> = []
        for domain in leaving {
            let place = Int(domain.rawValue)
            if case .site(let site, _) = domains[place].kind {
                left.insert(site)
                sites[site].domainCount -= 1
                domains[place].isQueued = false
            }
            domains[place].kind = .unknown
            domains[place].lookUpFailures = 0
            if scheduler.readyCount(of: domain) > 0 { awaken(domain) }
        }
        for site in left {
            sites[site].queue.removeAll { leaving.contains($0) }
            // They may come back to it, with another password.
            sites[site].concurrency.endRest(now: now)
            retire(site)
        }
    }

    /// What was to be settled because of the old way, and is not on its way to the disk yet, has another
    /// chance.
    private mutating func takeBackMatters(of rerouted: Set<DomainIndex>) {
        var takenBack: [Matter] = []
        func keep(_ group: [Matter]) -> [Matter] {
            group.filter { matter in
                guard rerouted.contains(scheduler.domainIndex(matter.work.slot)) else { return true }
                takenBack.append(matter)
                return false
            }
        }
        matters = Deque(matters.map(keep).filter { !$0.isEmpty })
        gathered = gathered.mapValues(keep).filter { !$0.value.isEmpty }
        // The last first: each goes to the head of its domain.
        for matter in takenBack.reversed() {
            scheduler.putBack(matter.work.slot)
            if let message = matter.work.fresh { fresh.insert(message, for: matter.work.slot, entryCount: 1) }
            awaken(scheduler.domainIndex(matter.work.slot))
        }
    }

    /// Forgets a site that no domain leads to any more, unless a connection still does.
    mutating func retire(_ site: Int) {
        guard sites[site].domainCount == 0, !sites[site].concurrency.isInUse, !sites[site].isWaiting else {
            return
        }
        siteNumbers[sites[site].destination.key] = nil
        sites.remove(site, leaving: .gone)
    }
}

extension Dispatcher {
    /// Entries that are looked at in one step.
    private static let hasteBatch = 4_096

    /// New settings, from the next look-up and connection on. Where they send a domain's mail elsewhere, what
    /// waits because of the old hosts goes at once. Limits of shares take effect at the next start.
    package func apply(_ settings: DeliverySettings) {
        let now = seams.clock.now
        let rerouted = state.withLock { $0.adopt(settings, now: now) }
        guard !rerouted.isEmpty else { return }
        var start = 0
        while true {
            let end = state.withLock { state in
                let end = min(start + Self.hasteBatch, state.scheduler.slotEnd)
                guard start < end else { return state.scheduler.slotEnd }
                var ready: Set<DomainIndex> = []
                state.scheduler.hasten(start..<end, of: rerouted) { ready.insert($0) }
                for domain in ready { state.awaken(domain) }
                return state.scheduler.slotEnd
            }
            start += Self.hasteBatch
            if start >= end { break }
        }
    }
}

extension DeliverySettings {
    /// Whether hosts of any domain are chosen or met in another way.
    fileprivate func reachesOtherwise(than other: DeliverySettings) -> Bool {
        hostName != other.hostName || helloName != other.helloName || ownNames != other.ownNames
            || ownAddresses != other.ownAddresses || sourceV4 != other.sourceV4 || sourceV6 != other.sourceV6
            || addressFamilies != other.addressFamilies || port != other.port
    }

    /// Whether it is worth asking for each domain.
    fileprivate func mayRouteElsewhere(than other: DeliverySettings) -> Bool {
        routes != other.routes || credentials != other.credentials
    }

    fileprivate func routesElsewhere(_ domain: Domain, than other: DeliverySettings) -> Bool {
        let route = routes.route(for: domain)
        guard route == other.routes.route(for: domain) else { return true }
        switch route {
        case .refuse: return false
        case .mx: return routes.tls(for: domain) != other.routes.tls(for: domain)
        case .smarthost(let hosts), .lmtp(let hosts):
            guard let name = hosts.credentials else { return false }
            return credentials[name] != other.credentials[name]
        }
    }
}
