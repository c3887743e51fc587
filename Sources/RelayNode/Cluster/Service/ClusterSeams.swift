package import Convergence
package import GossipTransport
package import MailValues
package import Membership
package import QueueEngine
package import Telemetry

/// What the cluster's part of a node needs of the house, and tells it. Called from any thread; returns at once.
package struct ClusterSeams: Sendable {
    /// Whether this node has the right to deliver what it holds.
    package var mayDeliver: @Sendable (Bool) -> Void = { _ in }
    /// Why this node takes no mail, whatever its doors say; nil: it may.
    package var mayTake: @Sendable (_ obstacle: String?) -> Void = { _ in }
    /// What is queued now is held from the next start on. Waits for the disk; nil once it is noted, else why not.
    package var holdAtNextStart: @Sendable () -> String? = { nil }
    /// Another process with our key was first: the node ends.
    package var end: @Sendable (_ why: String) -> Void = { _ in }
    package var record: @Sendable (Event) -> Void = { _ in }
    /// Facts that came, changed or went, in order.
    package var facts: @Sendable ([FactChange]) -> Void = { _ in }
    /// Orders about blocks, verdicts and revocations that hold from now; how many queued messages that concerned.
    package var orders: @Sendable ([Order]) -> Int = { _ in 0 }
    /// By order of the operator at another node.
    package var drain: @Sendable (_ isOn: Bool, _ order: Order) -> Void = { _, _ in }
    package var leave: @Sendable (_ isOn: Bool, _ order: Order) -> Void = { _, _ in }
    /// This node is a member from now on: mail can be handed to others by `send` (false: no room now), and by them.
    package var entered:
        @Sendable (_ me: NodeID, _ send: @escaping @Sendable ([UInt8], NodeID) -> Bool) async -> Void = {
            _, _ in
        }
    /// A frame of the bulk channel, on the transport's thread.
    package var bulk: @Sendable (LinkFrame) -> Void = { _ in }
    /// How a member stands to mail that is handed over, whenever that changes.
    package var standing: @Sendable (NodeID, Leaver.Standing) -> Void = { _, _ in }
    /// How this node fares, for the others to see.
    package var load: @Sendable () -> MemberLoad = { MemberLoad() }
    /// From now on this node speaks; what it said before is void, and is to be said again.
    package var speaks: @Sendable (ClusterSpeaker) -> Void = { _ in }
    /// What we are to tell the others now; called each second.
    package var dueFacts: @Sendable (ClusterSpeaker) -> Void = { _ in }

    package init() {}
}

/// Says facts of this node's own.
package struct ClusterSpeaker: Sendable {
    let driver: ClusterDriver
    /// In whose name.
    package let node: NodeID

    package func say<F: Fact>(_ fact: F, about subject: F.Subject, lifetime: Duration? = nil) {
        driver.say(fact, about: subject, lifetime: lifetime)
    }

    package func withdraw<F: Fact>(_ kind: F.Type, about subject: F.Subject) {
        driver.withdraw(kind, about: subject)
    }
}
