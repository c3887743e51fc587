import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues
import RoutingPolicy

/// `chappe selftest open-relay`: every known trick, from a foreign address, against a running node.
struct OpenRelayCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "open-relay", abstract: "Tries to relay mail through a node as a stranger would.",
        discussion: """
            Run it from a machine that the node does not know; or on the node's own, with --as and an address that \
            is nobody's, where the listener takes XCLIENT from us. A message that is accepted will be sent: the \
            recipients are in domains that exist for nobody. Networks shared with strangers are tried too, if the \
            node says which there are (its admin socket) and --as is given.
            The node takes these attempts for what they are: it answers the address slowly from then on, and may block \
            it for a while. Use one that sends no mail, or release it afterwards (`chappe host release`).
            Exits 0 if everything was refused, 1 if something could not be told, 2 if something was accepted.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    @Option(name: .long, help: "Where the node listens.") var host = "127.0.0.1"
    @Option(name: .long, help: "The port of a listener without implicit TLS.") var port: UInt16 = 25
    @Option(name: .customLong("from-address"), help: "An address of this machine to come from.")
    var source: String?
    @Option(name: .customLong("as"), help: "The address to be taken for, said by XCLIENT.")
    var guise: String?
    @Option(
        name: .customLong("domain"),
        help: "A domain that the node relays for; asked of the node if not given.")
    var ownDomain: String?
    @Option(name: .customLong("user"), help: "A recipient there.") var ownUser = "postmaster"
    @Option(name: .customLong("target"), help: "Where a stranger wants mail to go.")
    var target = "relay-test.example"
    @Option(name: .long, help: "Seconds to wait for a reply.") var timeout = 60
    @Option(name: .long, help: "Tricks tried side by side.") var sessions = Attacks.sessionsDefault

    func validate() throws {
        for (name, text) in [("--from-address", source), ("--as", guise)] {
            if let text, IPAddress(text) == nil {
                throw ValidationError("\(name) is no address: \"\(text)\"")
            }
        }
        guard IPAddress(host) != nil else { throw ValidationError("--host is an address, not a name") }
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout is from 1 to 3600") }
        guard (1...Attacks.sessionsMost).contains(sessions) else {
            throw ValidationError("--sessions is from 1 to \(Attacks.sessionsMost)")
        }
    }

    func perform(on screen: Screen) throws -> Outcome {
        let facts = try? node.client.get("selftest") as SelftestFacts
        // A pattern, such as `.example.org`, is no domain to write to.
        let relayed = facts?.relayDomains.first { !$0.hasPrefix(".") && !$0.contains("*") }
        guard let address = IPAddress(host), let domain = ownDomain ?? relayed ?? facts?.hostname else {
            throw Complaint(
                "which domain does the node relay for? say --domain, or let me reach \(node.client.path)",
                .usage)
        }
        let parties = OpenRelayTrick.Parties(
            ownDomain: domain, ownUser: ownUser, ownHost: facts?.hostname ?? domain, ownAddress: address,
            targetDomain: target)
        let attack = RelayAttack(
            address: address, port: port, source: source.flatMap { IPAddress($0) }, timeoutSeconds: timeout)
        let stranger = guise.flatMap { IPAddress($0) }
        var results = [attack.control(parties, as: stranger)]
        // Without a first reply every other trick would only wait for its own failure.
        guard results[0].verdict != .unreachable else {
            throw Complaint("cannot talk to \(host) port \(port): \(results[0].reply)", .unreachable)
        }
        let tricks = OpenRelayTricks.all.map { trick in
            { @Sendable in attack.attempt(trick, parties, as: stranger) }
        }
        results += Attacks(sessions: sessions, gauge: Gauge(on: screen)).run(
            tricks + tenants(facts, attack, parties, on: screen))
        try SelftestPage.tell(results, form, on: screen)
        return SelftestPage.outcome(results)
    }

    /// Foreign tenants of shared networks. They can only be played where XCLIENT says who we are.
    private func tenants(
        _ facts: SelftestFacts?, _ attack: RelayAttack, _ parties: OpenRelayTrick.Parties, on screen: Screen
    ) -> [@Sendable () -> RelayAttack.Result] {
        guard let facts else {
            screen.warn("shared networks were not tried: the node's admin socket does not answer")
            return []
        }
        guard !facts.sharedNetworks.isEmpty else { return [] }
        guard guise != nil else {
            screen.warn("shared networks were not tried: say --as, so that XCLIENT is used")
            return []
        }
        return facts.sharedNetworks.flatMap { shared in
            TenantTrick.all(for: shared, parties).map { trick in
                { @Sendable in attack.attempt(trick, from: shared.network) }
            }
        }
    }
}
