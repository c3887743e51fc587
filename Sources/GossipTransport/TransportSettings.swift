package import MailValues
import Membership

/// Where the transport listens, and what it bears.
package struct TransportSettings: Sendable {
    /// Our own address, whose ports others connect to.
    package var bindAddress: IPAddress
    /// 0: the system chooses, and `GossipTransport.ports` tells.
    package var controlPort: UInt16 = 0
    package var bulkPort: UInt16 = 0
    package var control = ChannelLimits.control
    package var bulk = ChannelLimits.bulk
    package var door = DoorLimits()
    package var timing = LinkTiming()
    /// Admitted members with a link key; the first version is a mesh of at most 32.
    package var memberLimit = 64
    /// Keys of one member that are good at a time: the old one, the new one, and one given up halfway.
    package var keysPerMember = 3

    package init(bindAddress: IPAddress) { self.bindAddress = bindAddress }
}

/// What one channel may hold.
package struct ChannelLimits: Sendable {
    /// A longer frame ends the connection it comes by.
    package var frameOctets: Int
    /// Frames and octets that wait for the thread.
    package var mailboxFrames: Int
    package var mailboxOctets: Int
    /// Frames that wait for one peer inside the library. Short: who comes back gets what was queued
    /// meanwhile.
    package var sendQueue: Int
    /// Frames from one peer that wait for us; beyond it the peer waits.
    package var receiveQueue: Int
    /// Older frames are dropped by whoever receives them.
    package var ageLongest: Duration
    /// Octets that wait for links that are being made, to all members together; of frames to one, `sendQueue`.
    package var waitingOctets: Int
    /// Frames taken in one turn, so that one channel never starves the rest.
    package var turn: Int

    package static let control = ChannelLimits(
        frameOctets: 1 << 20, mailboxFrames: 8192, mailboxOctets: 8 << 20, sendQueue: 256, receiveQueue: 256,
        ageLongest: .seconds(3), waitingOctets: 0, turn: 512)
    package static let bulk = ChannelLimits(
        frameOctets: 1 << 20, mailboxFrames: 1024, mailboxOctets: 32 << 20, sendQueue: 64, receiveQueue: 64,
        ageLongest: .seconds(30), waitingOctets: 8 << 20, turn: 64)
}

/// How soon a link that has died is known to be dead, and tried again.
///
/// † Without the first four the first frame after a cut of 60 s arrived 47 s after the heal.
package struct LinkTiming: Sendable {
    /// ZMQ_HEARTBEAT_IVL, where there are no more links than `heartbeatLinks`.
    package var heartbeat: Duration = .seconds(1)
    /// Of links that are made while there are twice as many, each asks half as often, and so on: what a node spends on
    /// heartbeats hardly grows with the number of members.
    package var heartbeatLinks = 8
    /// ZMQ_HEARTBEAT_TIMEOUT.
    package var heartbeatTimeout: Duration = .seconds(3)
    /// ZMQ_TCP_MAXRT: how long sent octets may stay without an acknowledgement.
    package var retransmission: Duration = .seconds(3)
    /// ZMQ_CONNECT_TIMEOUT.
    package var connect: Duration = .seconds(1)
    /// ZMQ_HANDSHAKE_IVL: a stranger who says nothing is gone after this.
    package var handshake: Duration = .seconds(3)
    /// ZMQ_RECONNECT_IVL and its largest doubling.
    package var reconnectFirst: Duration = .milliseconds(50)
    package var reconnectLongest: Duration = .milliseconds(200)
    /// Until a connection that the library gave up is made anew.
    package var renewal: Duration = .seconds(1)
    /// A link that is neither up nor tried for so long is made anew; longer than an attempt can take.
    package var silence: Duration = .seconds(6)
    /// A link on demand that does not stand after so long is told of as down, and what waited for it is dropped.
    package var patience: Duration = .seconds(5)
    /// A link on demand that no frame wanted for so long is closed. Not less than the age at which frames are stale: then
    /// nothing is lost with it that would have been taken.
    package var idle: Duration = .seconds(30)

    package init() {}

    /// The heartbeat of a link that is made as one of so many.
    func heartbeat(among count: Int) -> Duration {
        var factor = 1
        while factor * heartbeatLinks < count, factor < 1 << 8 { factor *= 2 }
        return heartbeat * factor
    }
}

/// What strangers may do at the door.
package struct DoorLimits: Sendable {
    package var frameOctets = 16 << 10
    /// Handshakes in a second, and how many may come at once after a pause.
    package var handshakesPerSecond = 5
    package var handshakeBurst = 20
    /// Requests in a second, of all visitors together.
    package var requestsPerSecond = 5
    package var requestBurst = 20

    package init() {}
}
