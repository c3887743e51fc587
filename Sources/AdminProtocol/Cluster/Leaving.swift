/// The body of `POST /v1/leave` (begin, or go on) and `DELETE /v1/leave` (stay after all).
package struct LeaveRequest: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var reason: String
    package init(reason: String) { self.reason = reason }
}

/// How far a node is with giving its queue away: the answer to those two and to `GET /v1/leave`.
package struct LeaveProgress: Codable, Hashable, Sendable {
    package enum Phase: String, Codable, Sendable, CaseIterable {
        case staying, stoppingIntake, giving, confirming, bequeathing, signing, left
    }

    package struct Heir: Codable, Hashable, Sendable {
        package var name: String
        package var messages: Int
        package init(name: String, messages: Int) {
            self.name = name
            self.messages = messages
        }
    }

    package var schema = AdminAPI.schema
    package var phase: Phase
    /// In the queue when it began, and since.
    package var messages: Int
    package var handedOver: Int
    package var delivered: Int
    package var bounced: Int
    /// Still without another owner.
    package var waiting: Int
    package var heirs: [Heir]
    /// Why it does not go on; nil: it does.
    package var obstacle: String?

    package init(
        phase: Phase, messages: Int, handedOver: Int, delivered: Int, bounced: Int, waiting: Int,
        heirs: [Heir],
        obstacle: String?
    ) {
        self.phase = phase
        self.messages = messages
        self.handedOver = handedOver
        self.delivered = delivered
        self.bounced = bounced
        self.waiting = waiting
        self.heirs = heirs
        self.obstacle = obstacle
    }
}

/// `GET /v1/cluster/can-stop` and `GET /v1/cluster/doctor`: what was looked at, and what to do.
package struct Checkup: Codable, Hashable, Sendable {
    package struct Finding: Codable, Hashable, Sendable {
        package var severity: NodeStatus.Health
        /// What is so.
        package var what: String
        /// The line that mends it; nil where nothing has to be.
        package var advice: String?
        package init(_ severity: NodeStatus.Health, _ what: String, advice: String? = nil) {
            self.severity = severity
            self.what = what
            self.advice = advice
        }
    }

    package var schema = AdminAPI.schema
    package var findings: [Finding]
    package init(_ findings: [Finding]) { self.findings = findings }
    package var health: NodeStatus.Health { findings.lazy.map(\.severity).max() ?? .ok }
}
