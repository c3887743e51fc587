package import MailValues
package import MessageFormat
package import QueueEngine
package import RoutingPolicy
package import SMTPProtocol

/// How mail leaves: who we say we are, where it goes, how often, how much at a time.
package struct DeliverySettings: Sendable {
    package enum AddressFamilies: Sendable { case v4First, v6First, v4Only, v6Only }
    /// What becomes of 8-bit content where the next hop does not offer 8BITMIME (RFC 6152 §3).
    package enum EightBitRule: Sendable {
        /// As it is. The standard has us convert or return it; every server met today takes it.
        case asItIs
        /// Returned with 5.6.3.
        case bounce
    }

    /// Our name: in EHLO unless `helloName` says otherwise, in reports, and among an MX's hosts it means us.
    package var hostName: Domain
    package var helloName: String
    /// Further names and all addresses under which we are an MX ourselves (RFC 5321 §5.1).
    package var ownNames: Set<String> = []
    package var ownAddresses: Set<IPAddress> = []
    /// Where connections come from; nil leaves it to the kernel.
    package var sourceV4: IPAddress?
    package var sourceV6: IPAddress?
    /// IPv4 first: great providers ask more of hosts that come by IPv6.
    package var addressFamilies = AddressFamilies.v4First
    /// The port of MX hosts (RFC 5321 §4.5.4.2).
    package var port: UInt16 = 25

    package var routes = RouteTable()
    /// User and password by the name that a route gives.
    package var credentials: [String: DialTarget.Credentials] = [:]
    package var providers = ProviderRules()
    package var retry = RetrySchedule()
    package var limits = ConcurrencyLimits()
    package var eightBit = EightBitRule.asItIs
    package var eightBitByDomain: [Domain: EightBitRule] = [:]

    /// Hosts of one MX set that are looked at, and addresses that are dialled for one message. RFC 5321 §5.1
    /// asks for at least two; who lists hundreds wants us to try forever.
    package var hostLimit = 20
    package var addressLimit = 10
    /// Hosts that may put one message off for want of their own room in one attempt, before it waits: each
    /// costs a connection, and a great provider's hosts are often short of the same thing.
    package var hostsPerAttempt = 3
    /// Octets of new messages kept in memory until their first attempt.
    package var freshOctetLimit = 64 << 20
    /// Attempts of one connection whose outcome is not yet durable: what a crash may send twice.
    package var unrecordedPerConnection = 2
    /// Who gets reports that could not be delivered; nil: they are logged and counted only.
    package var doubleBounceRecipient: Mailbox?
    /// What a report may carry.
    package var reportLimits = DeliveryReport.Limits()
    /// Which addresses found by DNS may be dialled.
    package var isDialable: @Sendable (IPAddress) -> Bool

    /// Whom people may write to about reports: stands in their From.
    package var postmaster: Mailbox

    package init(hostName: Domain, postmaster: Mailbox, isDialable: @escaping @Sendable (IPAddress) -> Bool) {
        self.hostName = hostName
        self.postmaster = postmaster
        helloName = hostName.name
        self.isDialable = isDialable
    }

    func eightBitRule(for domain: Domain) -> EightBitRule { eightBitByDomain[domain] ?? eightBit }

    /// Whether a host's name is one of ours.
    func isOwn(_ name: String) -> Bool { name == hostName.name || ownNames.contains(name) }
}
