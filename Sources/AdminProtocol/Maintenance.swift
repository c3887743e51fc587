/// The body of `POST /v1/drain` and `DELETE /v1/drain`.
package struct DrainRequest: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var reason: String
    package init(reason: String) { self.reason = reason }
}

/// How far a node is with it. A drained node takes no new session; what it holds, it delivers.
package struct DrainAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var isDraining: Bool
    package var sessions: Int
    package var activeDeliveries: Int
    package var queuedMessages: Int
    package init(isDraining: Bool, sessions: Int, activeDeliveries: Int, queuedMessages: Int) {
        self.isDraining = isDraining
        self.sessions = sessions
        self.activeDeliveries = activeDeliveries
        self.queuedMessages = queuedMessages
    }
}

/// What `chappe store …` asks of a running node.
package enum StoreTask: String, Codable, Sendable, CaseIterable { case backup, upgrade, verify }

/// The body of `POST /v1/store/<task>`.
package struct StoreTaskRequest: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    /// Of a backup: a directory that does not exist yet, as the node sees it.
    package var directory: String?
    package init(directory: String? = nil) { self.directory = directory }
}

package struct StoreTaskAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var task: StoreTask
    /// False: damage was found.
    package var isSound: Bool
    /// Sentences for people: what was done, what was found.
    package var lines: [String]
    package init(task: StoreTask, isSound: Bool, lines: [String]) {
        self.task = task
        self.isSound = isSound
        self.lines = lines
    }
}

/// What `chappe selftest open-relay` wants to know of the node that it attacks.
package struct SelftestFacts: Codable, Hashable, Sendable {
    package struct Listener: Codable, Hashable, Sendable {
        package var name: String
        package var host: String
        package var port: Int
        package var implicitTLS: Bool
        package init(name: String, host: String, port: Int, implicitTLS: Bool) {
            self.name = name
            self.host = host
            self.port = port
            self.implicitTLS = implicitTLS
        }
    }

    /// A network from which only some tenants may relay.
    package struct SharedNetwork: Codable, Hashable, Sendable {
        package var network: String
        package var senderDomains: [String]
        package var fromDomains: [String]
        package var header: String
        package var value: String
        package init(
            network: String, senderDomains: [String], fromDomains: [String], header: String, value: String
        ) {
            self.network = network
            self.senderDomains = senderDomains
            self.fromDomains = fromDomains
            self.header = header
            self.value = value
        }
    }

    package var schema = AdminAPI.schema
    package var hostname: String
    package var listeners: [Listener]
    package var relayDomains: [String]
    package var sharedNetworks: [SharedNetwork]
    package init(
        hostname: String, listeners: [Listener], relayDomains: [String], sharedNetworks: [SharedNetwork]
    ) {
        self.hostname = hostname
        self.listeners = listeners
        self.relayDomains = relayDomains
        self.sharedNetworks = sharedNetworks
    }
}

/// Which build answers.
package struct VersionAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var version: String
    package var hostname: String
    package init(version: String, hostname: String) {
        self.version = version
        self.hostname = hostname
    }
}
