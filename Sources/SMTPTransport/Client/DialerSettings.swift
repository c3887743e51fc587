package import SMTPProtocol

/// How connections to next hops are opened and kept.
package struct DialerSettings: Sendable {
    /// SYN to established; the kernel alone would take two minutes.
    package var connectTimeout: Duration = .seconds(30)
    package var timeouts = ClientTimeouts()
    package var replyLimits = ReplyLimits()
    /// Octets of content that are read ahead of the peer; the message goes in one write with the envelope if
    /// it is no longer.
    package var readAheadOctets = 65_536
    package init() {}
}
