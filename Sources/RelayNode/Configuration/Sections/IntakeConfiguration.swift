package import SMTPProtocol

/// What all sessions together, and each of them, may use.
package struct IntakeConfiguration: Sendable, Equatable {
    package var limits = SessionLimits()
    /// Open sessions; nil leaves both to the census.
    package var sessionsTotal: Int?
    /// Open sessions from one IPv4 /24 or IPv6 /64; relay networks are not counted.
    package var sessionsPerNetwork: Int?
    /// Octets of messages being received, over all sessions: beyond it we stop reading.
    package var octetsInFlight = 256 << 20
    /// `Received` fields at which a message goes in circles (RFC 5321 §6.3: at least 100).
    package var hopLimit = 100

    package init() {
        // A header is looked at in one piece, and intake stores pieces of 256 KiB.
        limits.headerOctets = 256 << 10
    }
}
