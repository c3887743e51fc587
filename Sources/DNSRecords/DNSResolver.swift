package import MailValues

/// An answer and how far it may be believed.
package struct DNSAnswer<Value: Sendable>: Sendable {
    package var values: [Value]
    /// DNSSEC validated it (RFC 4035 §3.2.3).
    package var isSecure: Bool
    /// Seconds that it may be kept.
    package var timeToLive: Duration
    package init(values: [Value], isSecure: Bool, timeToLive: Duration) {
        self.values = values
        self.isSecure = isSecure
        self.timeToLive = timeToLive
    }
}

package enum DNSError: Error, Sendable, Equatable {
    /// The name does not exist (NXDOMAIN). "No data of this type" is an empty answer, not an error.
    case noSuchName(isSecure: Bool)
    /// No answer in time, SERVFAIL, or too many look-ups in flight: try later.
    case temporary(detail: String)
    /// DNSSEC says that the answer is forged: try later, and never use it (RFC 7672 §2.1.1).
    case bogus(detail: String)
    /// The name cannot be asked for (label or name too long).
    case badName
}

package struct MXRecord: Sendable, Hashable {
    package var preference: UInt16
    /// Lower case, no final dot; empty for the root, which is null MX (RFC 7505 §3).
    package var exchange: String
    package init(preference: UInt16, exchange: String) {
        self.preference = preference
        self.exchange = exchange
    }
}

/// Names resolved, with validation. `name` has no final dot; U-labels are converted by the resolver.
package protocol DNSResolver: AnyObject, Sendable {
    func mx(_ name: String) async throws(DNSError) -> DNSAnswer<MXRecord>
    func addressesV4(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress>
    func addressesV6(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress>
    /// PTR names of an address.
    func names(of address: IPAddress) async throws(DNSError) -> DNSAnswer<String>
    /// The strings of each TXT record joined.
    func txt(_ name: String) async throws(DNSError) -> DNSAnswer<[UInt8]>
}
