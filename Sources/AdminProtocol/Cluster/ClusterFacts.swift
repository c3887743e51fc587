/// `GET /v1/cluster`: what a command has to know of this node before it signs anything for it.
///
/// Keys and ids are hexadecimal. None of them is a secret.
package struct ClusterFacts: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    /// nil: the node is in no cluster.
    package var cluster: String?
    /// The public half of the operator's key.
    package var operatorKey: String?
    /// The node's identity; made when it is first asked for.
    package var node: String
    /// What its links show.
    package var linkKey: String
    package var name: String
    /// Where other members reach it; nil: it was not told, and would have to guess.
    package var address: String?
    package var controlPort: Int
    package var bulkPort: Int
    /// Where strangers may knock while a token is alive.
    package var doorPort: Int
    /// The highest number of an order or an admission that the node knows: what the operator says next must be above it.
    package var newestOrder: UInt64?

    package init(
        cluster: String?, operatorKey: String?, node: String, linkKey: String, name: String, address: String?,
        controlPort: Int, bulkPort: Int, doorPort: Int, newestOrder: UInt64? = nil
    ) {
        self.cluster = cluster
        self.operatorKey = operatorKey
        self.node = node
        self.linkKey = linkKey
        self.name = name
        self.address = address
        self.controlPort = controlPort
        self.bulkPort = bulkPort
        self.doorPort = doorPort
        self.newestOrder = newestOrder
    }
}

/// The body of `POST /v1/cluster/init`: the operator's leave to found a cluster, as a token for this node itself.
package struct FoundRequest: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var token: String
    /// nil: the node's host name.
    package var name: String?
    /// Where other members will reach it; nil: as the configuration says.
    package var address: String?

    package init(token: String, name: String?, address: String?) {
        self.token = token
        self.name = name
        self.address = address
    }
}

/// The body of `POST /v1/cluster/join`.
package struct JoinRequestBody: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    /// The doorkeeper's, a number.
    package var host: String
    package var port: Int
    package var token: String
    package var name: String?
    /// Our own; nil: as the configuration says, else the one from which we reach the doorkeeper.
    package var address: String?

    package init(host: String, port: Int, token: String, name: String?, address: String?) {
        self.host = host
        self.port = port
        self.token = token
        self.name = name
        self.address = address
    }
}

/// The body of `POST /v1/cluster/door`.
package struct DoorRequest: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var seconds: Int
    package init(seconds: Int) { self.seconds = seconds }
}

/// Where a new node knocks.
package struct DoorAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var host: String
    package var port: Int
    package var until: Moment
    package init(host: String, port: Int, until: Moment) {
        self.host = host
        self.port = port
        self.until = until
    }
}

/// The body of `POST /v1/cluster/orders`: an order that the operator's key has signed.
package struct OrderRequest: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    /// The order as it travels, in base64.
    package var order: String
    package init(order: String) { self.order = order }
}

package struct OrderAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var number: UInt64
    /// Names of the members that have it; the others hear of it when they are back.
    package var told: [String]
    package var notReached: [String]
    /// Queued messages that it holds, or frees, on this node.
    package var messages: Int
    /// What this node's configuration keeps from being blocked here; nil: nothing, or the order is another.
    package var protection: Protection?

    package struct Protection: Codable, Hashable, Sendable {
        /// None of it is blocked here.
        package var isWhole: Bool
        package var networks: [String]
        package init(isWhole: Bool, networks: [String]) {
            self.isWhole = isWhole
            self.networks = networks
        }
    }

    package init(number: UInt64, told: [String], notReached: [String], messages: Int) {
        self.number = number
        self.told = told
        self.notReached = notReached
        self.messages = messages
    }
}

/// `POST /v1/cluster/link-key`: a new key for the links, while they stand.
package struct RotationAnswer: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var serial: UInt64
    /// Members that have not confirmed it; the old key is good until there are none.
    package var waiting: [String]
    package init(serial: UInt64, waiting: [String]) {
        self.serial = serial
        self.waiting = waiting
    }
}
