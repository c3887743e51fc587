package import MailValues
package import Membership

/// Where and by which key a member is reached.
package struct PeerAddress: Hashable, Sendable {
    /// A number and no name: the library would ask DNS on the thread that serves all links.
    package var address: IPAddress
    package var controlPort: UInt16
    package var bulkPort: UInt16
    /// What the member's listener shows; another key there is not the member.
    package var key: LinkKey

    package init(address: IPAddress, controlPort: UInt16, bulkPort: UInt16, key: LinkKey) {
        self.address = address
        self.controlPort = controlPort
        self.bulkPort = bulkPort
        self.key = key
    }

    func port(_ channel: Channel) -> UInt16 {
        switch channel {
        case .control: controlPort
        case .bulk: bulkPort
        }
    }
}

/// One frame from an admitted member.
package struct LinkFrame: Sendable, Equatable {
    /// Who sent it, by the key of the connection that it came by: not by what it claims.
    package let peer: NodeID
    package let channel: Channel
    package let octets: [UInt8]
    /// How much longer it was under way than the quickest of its kind.
    package let age: Duration
}

/// A stranger at the door, and what he said. It may be nothing but a request to join.
package struct JoinRequest: Sendable, Equatable {
    package let key: LinkKey
    package let octets: [UInt8]
    /// By which the answer finds him.
    package let visitor: DoorVisitor
}

package struct DoorVisitor: Sendable, Hashable {
    let route: [UInt8]
    /// The door that he stands at: routes mean nothing at another one.
    let door: UInt64
}

extension Channel {
    /// Whether its links stand only while frames go. Probes never wait for a link; mail may.
    var isOnDemand: Bool {
        switch self {
        case .control: false
        case .bulk: true
        }
    }
}

/// What the transport tells, on its own thread.
package enum LinkEvent: Sendable, Equatable {
    /// Frames to this member can leave.
    case up(NodeID, Channel)
    case down(NodeID, Channel)
    /// Nobody used this link for a while, and it is not kept: it comes with the next frame. What was told of it is
    /// void.
    case rested(NodeID, Channel)
    /// Its machine answers that nobody listens there: the process is gone.
    case refused(NodeID)
    /// It will not have our key: we are not, or no longer, a member to it.
    case turnedAway(NodeID)
    case frame(LinkFrame)
    case joinRequest(JoinRequest)
    /// The time of the door is over, and it is shut.
    case doorClosed
    /// A port could not be had back within `after`; we go on trying.
    case deaf(endpoint: String, after: Duration)
}
