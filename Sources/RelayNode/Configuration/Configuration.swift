package import MailValues
package import RoutingPolicy

/// Everything that a postmaster can set, read and checked; `ops/config/chappe.yaml` shows all of it.
///
/// Where a module has settings of its own, they are used here as they are, so that each default is written
/// once.
package struct Configuration: Sendable {
    /// Our own name: greeting, trace headers, reports.
    package var hostname: Domain
    /// Whom people write to about mail (RFC 5321 §4.5.1); has no default.
    package var postmaster: Mailbox
    package var dataDirectory = "/var/lib/chappe"
    /// Who we become once the sockets are bound.
    package var user = "chappe"
    package var group = "chappe"
    /// Threads that run sessions and deliveries; nil: one for each processor.
    package var eventLoopCount: Int?

    package var listeners: [ListenerConfiguration] = []
    package var tls = TLSConfiguration()
    package var authentication = AuthenticationConfiguration()
    package var intake = IntakeConfiguration()
    package var gate = GateConfiguration()
    /// `accounts` is empty: the account file is read by whoever keeps it up to date.
    package var relay: RelaySettings
    /// Users and passwords for next hops, by the name that routes give.
    package var credentials: [String: CredentialConfiguration] = [:]
    package var delivery = DeliveryConfiguration()
    package var dns = DNSConfiguration()
    package var queue = QueueConfiguration()
    package var admin = AdminConfiguration()
    package var cluster = ClusterConfiguration()
    package var events = EventConfiguration()
    /// How long transactions and deliveries in hand may take after SIGTERM.
    package var shutdownGrace: Duration = .seconds(30)

    /// Equal on nodes that are set up alike.
    package internal(set) var sharedDigest: UInt64 = 0
    /// What `config check` says although the configuration can be used.
    package internal(set) var warnings: [ConfigurationProblem] = []

    /// Where each setting of the file stands.
    var places: [String: Place] = [:]

    package init(hostname: Domain, postmaster: Mailbox) {
        self.hostname = hostname
        self.postmaster = postmaster
        relay = RelaySettings(hostname: hostname, postmaster: postmaster)
    }
}

extension Configuration {
    /// Where a setting stands, or what it would stand in.
    func place(of setting: String) -> Place {
        var name = setting[...]
        while true {  // ends: the name grows shorter
            if let place = places[String(name)] { return place }
            guard let end = name.lastIndex(where: { $0 == "." || $0 == "[" }) else { return .file }
            name = name[..<end]
        }
    }

    /// Whether the file says it, and it is no default.
    func isGiven(_ setting: String) -> Bool { places[setting] != nil }
}

/// An address to listen at or to send to.
package struct SocketEndpoint: Sendable, Hashable, CustomStringConvertible {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String { address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}
