package import Membership

/// What the transport has done since its start.
package struct TransportStatistics: Sendable, Equatable {
    package struct Traffic: Sendable, Equatable {
        package var framesSent: UInt64 = 0
        package var octetsSent: UInt64 = 0
        package var framesReceived: UInt64 = 0
        package var octetsReceived: UInt64 = 0
        package var dropped = Drops()
    }

    /// Frames that went no further, by reason.
    package struct Drops: Sendable, Equatable {
        /// Ours: the mailbox had no room.
        package var mailboxFull: UInt64 = 0
        /// Ours: no link to that member stands.
        package var notConnected: UInt64 = 0
        /// Ours: the peer takes less than we send (EAGAIN).
        package var peerFull: UInt64 = 0
        /// Ours: longer than a frame may be.
        package var tooLong: UInt64 = 0
        /// Theirs: under way for too long.
        package var stale: UInt64 = 0
        /// Theirs: not one of our frames, or of a version that we do not know.
        package var malformed: UInt64 = 0
        /// Theirs: by a key that was withdrawn since the connection began.
        package var withdrawn: UInt64 = 0

        package var sum: UInt64 {
            mailboxFull + notConnected + peerFull + tooLong + stale + malformed + withdrawn
        }
    }

    package var control = Traffic()
    package var bulk = Traffic()
    /// Keys that the handler of authentication would not have.
    package var strangers: UInt64 = 0
    /// Handshakes with us that failed, for whatever reason.
    package var handshakesFailed: UInt64 = 0
    /// Handshakes that others would not have from us.
    package var turnedAway: UInt64 = 0
    package var doorRequests: UInt64 = 0
    package var doorRefusals: UInt64 = 0
    /// Who came to the door without our key: with another member's token, or to see what is there.
    package var doorStrangers: UInt64 = 0
    /// Connections begun; each has a routing id of its own.
    package var connections: UInt64 = 0
    /// Times that the listeners were bound anew, to be rid of a member.
    package var rebinds: UInt64 = 0

    package init() {}

    package subscript(_ channel: Channel) -> Traffic {
        get {
            switch channel {
            case .control: control
            case .bulk: bulk
            }
        }
        set {
            switch channel {
            case .control: control = newValue
            case .bulk: bulk = newValue
            }
        }
    }
}
