import MailValues
import QueueEngine

extension Configuration {
    /// Settings that only a start puts in force and that are not as in `old`, by the names by which `place(of:)` finds
    /// them.
    func settingsThatNeedRestart(since old: Configuration) -> [String] {
        var names: [String] = []
        func compare(_ name: String, _ isSame: Bool) { if !isSame { names.append(name) } }
        compare("data-directory", old.dataDirectory == dataDirectory)
        compare("user", old.user == user)
        compare("group", old.group == group)
        compare("event-loops", old.eventLoopCount == eventLoopCount)
        compare("dns", old.dns == dns)
        compare("queue", old.queue == queue)
        compare("admin", old.admin == admin)
        compare("cluster", old.cluster == cluster)
        compare("events", old.events == events)
        compare("limits.octets-in-flight", old.intake.octetsInFlight == intake.octetsInFlight)
        compare("tls.server-authorities", old.tls.serverAuthoritiesFile == tls.serverAuthoritiesFile)
        compare("delivery.connect-timeout", old.delivery.connectTimeout == delivery.connectTimeout)
        let binds = { (configuration: Configuration) in
            configuration.authentication.mechanisms.contains("SCRAM-SHA-256-PLUS")
        }
        compare("authentication.mechanisms", binds(old) == binds(self))
        compareShares(old.delivery, compare)
        compareListeners(old.listeners, compare)
        return names
    }

    private func compareShares(_ old: DeliveryConfiguration, _ compare: (String, Bool) -> Void) {
        let (old, new) = (old.concurrency, delivery.concurrency)
        compare("delivery.concurrency.opening-unknown", old.openingUnknown == new.openingUnknown)
        compare("delivery.concurrency.opening-newest", old.openingNewest == new.openingNewest)
        compare("delivery.concurrency.opening-slow", old.openingSlow == new.openingSlow)
        compare("delivery.concurrency.opening-probes", old.openingProbes == new.openingProbes)
        compare("delivery.concurrency.opening-probes-slow", old.openingProbesSlow == new.openingProbesSlow)
    }

    /// Sockets, and what is fixed with them. Their order decides nothing.
    private func compareListeners(_ old: [ListenerConfiguration], _ compare: (String, Bool) -> Void) {
        compare("listeners", old.allSatisfy { old in listeners.contains { $0.name == old.name } })
        for (number, new) in listeners.enumerated() {
            let name = "listeners[\(number)]"
            guard let old = old.first(where: { $0.name == new.name }) else {
                compare(name, false)
                continue
            }
            compare("\(name).address", Set(old.endpoints) == Set(new.endpoints))
            compare("\(name).tls", old.tls == new.tls)
            compare("\(name).proxy-protocol-from", old.proxyPeers == new.proxyPeers)
        }
    }
}
