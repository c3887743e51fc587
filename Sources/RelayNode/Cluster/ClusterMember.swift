package import Convergence
package import GossipTransport
package import MailValues
package import Membership

/// A member that the operator admitted, as the driver needs it.
package struct ClusterMember: Sendable, Hashable {
    package var node: NodeID
    /// Where it is reached; nil while it has not said so. It may reach us all the same.
    package var address: PeerAddress?
    /// Keys that its links may show: its newest one, and the one before until all have confirmed.
    package var linkKeys: Set<LinkKey>
    /// The last incarnation that the store knows of it; 0: none.
    package var incarnation: UInt64

    package init(node: NodeID, address: PeerAddress?, linkKeys: Set<LinkKey>, incarnation: UInt64 = 0) {
        self.node = node
        self.address = address
        self.linkKeys = linkKeys
        self.incarnation = incarnation
    }
}

/// What the driver tells the house, in order, on a task of its own.
package enum ClusterNews: Sendable, Equatable {
    /// The node has its incarnation, and speaks. `storeIsOld`: deliver nothing until ids were compared.
    case started(incarnation: UInt64, storeIsOld: Bool)
    case changed(NodeID, from: MemberState, to: MemberState)
    /// Others saw a later start of ours than the store knows.
    case storeIsOld(seen: UInt64)
    /// A process with our key started after us.
    case cloneSeen
    /// Something is known now that was not, or no more.
    case facts([FactChange])
    /// A member brought orders and admissions that we did not know; each proves itself.
    case words([Word], bearer: NodeID)
    /// A member that is not where we knew it says where it is.
    case moved(NodeID, to: LinkContact)
    case joinRequest(JoinRequest)
    case doorClosed
    /// This member is reached, or no more.
    case link(NodeID, isUp: Bool)
    /// The link for mail is made when there is some. It was wanted, and cannot be had or fell; or that is over.
    case bulk(NodeID, isFailing: Bool)
    /// A port could not be had back.
    case deaf(endpoint: String)
    /// A member said what was not acted on, so often since this was told last.
    case refused(NodeID, reason: String, count: UInt64)
}

/// Why the driver ended.
package enum ClusterEnd: Sendable, Equatable {
    case stopped
    /// Another process with this node's key was first.
    case cloned
    /// The members will not have us any more: deliver nothing, and say so.
    case evicted
    /// Our incarnation could not be stored, so nothing may be said under it.
    case notStored(String)
}

/// Frames that were not acted on, by reason, beside those that the transport drops.
package struct ClusterRefusals: Sendable, Equatable {
    package var malformed: UInt64 = 0
    package var otherVersion: UInt64 = 0
    package var otherCluster: UInt64 = 0
    /// It spoke under another name than its link's.
    package var otherName: UInt64 = 0
    package var stranger: UInt64 = 0
    /// Facts that their origin did not say, or may not say.
    package var facts: UInt64 = 0
    /// More than one member's share, while we were busy.
    package var overflow: UInt64 = 0
    /// Orders that the operator did not sign, whoever brought them.
    package var orders: UInt64 = 0
    /// Admissions that nobody may have given.
    package var admissions: UInt64 = 0
    /// Of strangers at the door.
    package var tokens: UInt64 = 0

    mutating func count(_ refusal: FrameRefusal) {
        switch refusal {
        case .otherCluster: otherCluster += 1
        case .otherName, .ourselves: otherName += 1
        case .stranger: stranger += 1
        }
    }
}

/// What the page of metrics says of the cluster's part of a node.
package struct ClusterFigures: Sendable, Equatable {
    /// Admitted members by state, this node among them.
    package var members: [MemberState: Int] = [:]
    /// Of the operator, not lifted, that hold.
    package var orderCount = 0
    package var mayDeliver = true
    package var isCloneSeen = false
    /// Since the links were made; they are made anew with each membership.
    package var refusals = ClusterRefusals()
    package var links = TransportStatistics()

    package init() {}
}
