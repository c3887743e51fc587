package import Filtering
package import MailValues
package import Reputation

/// What this node and the others know of who comes and of what he brings, as intake asks it.
///
/// Called on every lane: an answer takes a few look-ups and never waits.
package protocol IntakeGate: AnyObject, Sendable {
    /// Another number whenever a block or an order begins or ends: what was answered before may not hold.
    var edition: UInt64 { get }
    func opinion(of client: IPAddress) -> GateOpinion
    func opinion(ofAccount name: String) -> GateOpinion

    func opinion(of fingerprints: [Fingerprint]) -> VerdictOpinion

    func count(_ kind: Counters.Kind, _ amount: Int, by sender: GateSender)
}

/// Whom something is counted for.
package struct GateSender: Sendable, Equatable {
    package var client: IPAddress
    package var account: String?
    /// Where operators find what was seen.
    package var listener: String
    package var session: UInt64

    package init(client: IPAddress, account: String?, listener: String, session: UInt64) {
        self.client = client
        self.account = account
        self.listener = listener
        self.session = session
    }
}

/// What speaks against a client or an account, and what may be done about it at most.
package struct GateOpinion: Sendable, Equatable {
    /// Where it comes from; the raw value is a label of metrics.
    package enum Cause: String, CaseIterable, Sendable {
        /// The operator's order.
        case order
        /// This node's own evidence.
        case own
        /// Several nodes agree.
        case agreed
        /// One other node says so.
        case word
        /// Counted over days, by this node and others.
        case reputation
    }

    package var consequence: Standing.Consequence
    package var cause: Cause

    package static let nothing = GateOpinion(.none, .reputation)

    package init(_ consequence: Standing.Consequence, _ cause: Cause) {
        self.consequence = consequence
        self.cause = cause
    }
}

/// What speaks against a message.
package struct VerdictOpinion: Sendable, Equatable {
    package var decision: VerdictDecision
    /// The fingerprint that it is about, where there is something to do.
    package var fingerprint: Fingerprint?
    package var isOrder: Bool
    /// Who says so and why, for the operator's eye.
    package var reason: String

    package static let nothing = VerdictOpinion(.none, nil, isOrder: false, reason: "")

    package init(_ decision: VerdictDecision, _ fingerprint: Fingerprint?, isOrder: Bool, reason: String) {
        self.decision = decision
        self.fingerprint = fingerprint
        self.isOrder = isOrder
        self.reason = reason
    }
}
