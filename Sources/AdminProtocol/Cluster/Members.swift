/// `GET /v1/cluster/members`
package struct MemberList: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    /// nil: this node is in no cluster, and alone in the list.
    package var cluster: String?
    /// The admitted set that this node has, by its number.
    package var set: UInt64
    package var members: [MemberRow]

    package init(cluster: String?, set: UInt64, members: [MemberRow]) {
        self.cluster = cluster
        self.set = set
        self.members = members
    }
}

/// One member, as the node that was asked sees it.
package struct MemberRow: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case joining, alive, suspect, parked, draining, leaving, dead, left
        /// Its store is sick, by its own account.
        case sick
        /// It speaks under a wrong key, or was evicted.
        case quarantined
    }

    package var node: String
    package var name: String
    package var isSelf: Bool
    package var state: State
    /// `10.0.0.11:7946`; nil: it has not said.
    package var address: String?
    /// What it says of itself; nil: nothing was heard of it for two minutes.
    package var load: Load?
    /// How often it has started.
    package var incarnation: UInt64

    package struct Load: Codable, Hashable, Sendable {
        package var version: String
        /// A digest of its configuration: equal or not is all that counts.
        package var configuration: String
        package var queuedMessages: Int
        package var queuedOctets: Int
        package var freeOctets: Int
        package var acceptedPerMinute: Int
        package var isReady: Bool
        /// The admitted set that it has stored.
        package var set: UInt64

        package init(
            version: String, configuration: String, queuedMessages: Int, queuedOctets: Int, freeOctets: Int,
            acceptedPerMinute: Int, isReady: Bool, set: UInt64
        ) {
            self.version = version
            self.configuration = configuration
            self.queuedMessages = queuedMessages
            self.queuedOctets = queuedOctets
            self.freeOctets = freeOctets
            self.acceptedPerMinute = acceptedPerMinute
            self.isReady = isReady
            self.set = set
        }
    }

    package init(
        node: String, name: String, isSelf: Bool, state: State, address: String?, load: Load?,
        incarnation: UInt64
    ) {
        self.node = node
        self.name = name
        self.isSelf = isSelf
        self.state = state
        self.address = address
        self.load = load
        self.incarnation = incarnation
    }

    /// Two letters: U up or D down, then N normal, J joining, L leaving, D draining, S storage sick,
    /// Q quarantined.
    package var letters: String {
        switch state {
        case .alive: "UN"
        case .suspect: "UN"
        case .joining: "UJ"
        case .draining: "UD"
        case .leaving: "UL"
        case .sick: "US"
        case .quarantined: "DQ"
        case .parked, .dead: "DN"
        case .left: "DL"
        }
    }
}
