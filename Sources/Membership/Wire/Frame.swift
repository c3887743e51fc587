import MailValues

/// One frame: who speaks, for which cluster, and what.
package struct Frame: Hashable, Sendable {
    package var cluster: ClusterID
    package var sender: Sender
    /// Since the content was made; the receiver adds what the link knows and drops what is stale.
    package var age: Duration
    package var body: Body

    package enum Body: Hashable, Sendable {
        case probing(ProbeMessage)
        case facts(GossipMessage)
        case words(WordMessage)
        /// Where the sender is reached, by its own word.
        case contact(LinkContact)
        /// Of a kind that a later version knows: the sender was heard, and that is all.
        case unknown
    }

    package init(cluster: ClusterID, sender: Sender, age: Duration = .zero, body: Body) {
        self.cluster = cluster
        self.sender = sender
        self.age = age
        self.body = body
    }

    /// What this node writes.
    package static let version: UInt32 = 1
    /// The oldest that it reads: its own and the one before.
    package static let versionOldest: UInt32 = 1
    /// Octets of a frame on `control`; larger things go in chunks over `bulk`.
    package static let octetLimit = 1 << 20
    /// An age beyond this is cut to it: whatever is older is as stale.
    package static let ageLongest: Duration = .seconds(86_400)
}

/// Why a frame is not heard. The sender learns nothing of it.
package enum FrameError: Error, Hashable, Sendable {
    case tooLong
    /// Written by a node that is too new or too old for us.
    case version(UInt32)
    case malformed(String)
}
