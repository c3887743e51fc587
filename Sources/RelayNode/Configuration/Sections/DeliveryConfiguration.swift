package import MailValues
package import QueueEngine

/// How mail leaves. Where it goes stands in `Configuration.relay.routes`.
package struct DeliveryConfiguration: Sendable, Equatable {
    package enum AddressFamilies: String, Sendable, CaseIterable {
        case v4First = "v4-first"
        case v6First = "v6-first"
        case v4Only = "v4-only"
        case v6Only = "v6-only"
    }

    package enum EightBitRule: String, Sendable, CaseIterable {
        case asItIs = "as-it-is"
        case bounce
    }

    /// What we say in EHLO; nil: our host name.
    package var helloName: Domain?
    package var sourceV4: IPAddress?
    package var sourceV6: IPAddress?
    package var addressFamilies = AddressFamilies.v4First
    /// The port of MX hosts.
    package var port: UInt16 = 25
    /// Further names and addresses under which we are an MX ourselves.
    package var ownNames: [Domain] = []
    package var ownAddresses: [IPAddress] = []
    package var retry = RetrySchedule()
    package var concurrency = ConcurrencyLimits()
    /// From SYN to an open connection.
    package var connectTimeout: Duration = .seconds(30)
    /// MX suffix and provider.
    package var providers: [String: String] = [:]
    package var eightBit = EightBitRule.asItIs
    package var eightBitByDomain: [Domain: EightBitRule] = [:]
    /// Who gets reports that could not be delivered; nil: nobody.
    package var doubleBounceRecipient: Mailbox?
    /// Octets up to which a failed message is returned whole, where its sender asked for that.
    package var fullReturnOctets = 64 * 1024
    package init() {}
}
