/// `GET /v1/blocks`: hosts and accounts that are blocked, or were and are released by order.
package struct BlockList: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var blocks: [BlockRow]
    package init(_ blocks: [BlockRow]) { self.blocks = blocks }
}

package struct BlockRow: Codable, Hashable, Sendable {
    /// What the node that was asked does about it.
    package enum Consequence: String, Codable, Sendable, CaseIterable { case none, slow, refuse }

    /// `198.51.100.7/32`, or `account anna`.
    package var subject: String
    package var consequence: Consequence
    /// Names of the members that say so by what they saw.
    package var origins: [String]
    package var since: Moment?
    package var evidence: [String]
    /// The operator's word, where there is one.
    package var order: OrderRow?

    package init(
        subject: String, consequence: Consequence, origins: [String], since: Moment?, evidence: [String],
        order: OrderRow?
    ) {
        self.subject = subject
        self.consequence = consequence
        self.origins = origins
        self.since = since
        self.evidence = evidence
        self.order = order
    }
}

/// An order as people read it.
package struct OrderRow: Codable, Hashable, Sendable {
    package var number: UInt64
    package var by: String
    package var reason: String
    /// Whether it takes back an older one.
    package var isLifted: Bool
    package var expires: Moment?
    package init(number: UInt64, by: String, reason: String, isLifted: Bool, expires: Moment?) {
        self.number = number
        self.by = by
        self.reason = reason
        self.isLifted = isLifted
        self.expires = expires
    }
}

/// `GET /v1/verdicts`, and with `fingerprint=` one alone.
package struct VerdictList: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var verdicts: [VerdictRow]
    package var revokedOrigins: [RevokedOrigin]

    /// A node all of whose judgements the operator has taken back.
    package struct RevokedOrigin: Codable, Hashable, Sendable {
        package var name: String
        package var order: OrderRow
        package init(name: String, order: OrderRow) {
            self.name = name
            self.order = order
        }
    }

    package init(_ verdicts: [VerdictRow], revokedOrigins: [RevokedOrigin]) {
        self.verdicts = verdicts
        self.revokedOrigins = revokedOrigins
    }
}

package struct VerdictRow: Codable, Hashable, Sendable {
    package enum Consequence: String, Codable, Sendable, CaseIterable { case none, hold, act }

    /// `body:` or `attachment:` and 64 hexadecimal digits.
    package var fingerprint: String
    package var consequence: Consequence
    package var origins: [Origin]
    package var seen: Int
    package var first: Moment?
    /// Queued here, and held by it.
    package var heldMessages: Int
    package var order: OrderRow?
    /// Revoked: no node's own judgement counts until this order is over.
    package var revocation: OrderRow?

    /// The incarnation and counter are what a revocation names.
    package struct Origin: Codable, Hashable, Sendable {
        package var node: String
        package var name: String
        package var incarnation: UInt64
        package var counter: UInt64
        package init(node: String, name: String, incarnation: UInt64, counter: UInt64) {
            self.node = node
            self.name = name
            self.incarnation = incarnation
            self.counter = counter
        }
    }

    package init(
        fingerprint: String, consequence: Consequence, origins: [Origin], seen: Int, first: Moment?,
        heldMessages: Int, order: OrderRow?, revocation: OrderRow?
    ) {
        self.fingerprint = fingerprint
        self.consequence = consequence
        self.origins = origins
        self.seen = seen
        self.first = first
        self.heldMessages = heldMessages
        self.order = order
        self.revocation = revocation
    }
}

/// `GET /v1/reputation?subject=`: what was counted about a network, domain or account, and by whom.
package struct ReputationReport: Codable, Hashable, Sendable {
    package enum Consequence: String, Codable, Sendable, CaseIterable { case none, slow, refuse }

    package struct Row: Codable, Hashable, Sendable {
        package var subject: String
        /// From -1 (all bad) to 1 (all good).
        package var score: Double
        /// From 0 (never heard of) towards 1.
        package var sureness: Double
        package var witnesses: Int
        package var consequence: Consequence
        /// By member: name and counters (`spam`, `good`, …), decayed to now.
        package var words: [Word]
        package init(
            subject: String, score: Double, sureness: Double, witnesses: Int, consequence: Consequence,
            words: [Word]
        ) {
            self.subject = subject
            self.score = score
            self.sureness = sureness
            self.witnesses = witnesses
            self.consequence = consequence
            self.words = words
        }
    }

    package struct Word: Codable, Hashable, Sendable {
        package var name: String
        package var counters: [String: Double]
        package init(name: String, counters: [String: Double]) {
            self.name = name
            self.counters = counters
        }
    }

    package var schema = AdminAPI.schema
    /// An address is shown with its neighbourhood.
    package var rows: [Row]
    package init(_ rows: [Row]) { self.rows = rows }
}

/// `GET /v1/cluster/mark?node=`: up to which version this node knows what each member said: what a revocation of
/// all that a node said has to name.
package struct OriginMark: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var node: String
    package var name: String
    package var incarnation: UInt64
    package var counter: UInt64
    package init(node: String, name: String, incarnation: UInt64, counter: UInt64) {
        self.node = node
        self.name = name
        self.incarnation = incarnation
        self.counter = counter
    }
}
