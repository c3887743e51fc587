import MailValues
import QueueEngine
import SMTPProtocol

/// One host that may take a domain's mail, with the addresses at which it may be dialled.
struct NextHop: Equatable, Sendable {
    var name: String
    var port: UInt16
    var addresses: [IPAddress]
}

/// Where a domain's mail goes: hosts in ranks, and the manner of reaching them.
///
/// A class, because sites and connections share it and look at it often.
final class Destination: Sendable {
    /// Best rank first; the order within a rank is drawn for each connection.
    let ranks: [[NextHop]]
    let language: DialTarget.Language
    let tls: TLSRule
    let implicitTLS: Bool
    let credentials: DialTarget.Credentials?
    /// Found by DNS, not configured.
    let isFromDNS: Bool
    let provider: String?
    let key: SiteKey

    init(
        ranks: [[NextHop]], language: DialTarget.Language = .smtp, tls: TLSRule, implicitTLS: Bool = false,
        credentials: DialTarget.Credentials? = nil, isFromDNS: Bool, provider: String? = nil, key: SiteKey
    ) {
        self.ranks = ranks
        self.language = language
        self.tls = tls
        self.implicitTLS = implicitTLS
        self.credentials = credentials
        self.isFromDNS = isFromDNS
        self.provider = provider
        self.key = key
    }

    enum TLSRule: String, Sendable { case none, may, require, verify }

    func mode(for host: NextHop) -> DialTarget.TLSMode {
        switch tls {
        case .none: .none
        case .may: .may
        case .require: .require
        case .verify: .verify(names: [host.name])
        }
    }
}

/// What the search for a domain's hosts came to.
enum DestinationAnswer: Sendable {
    /// `timeToLive`: how long it may be believed.
    case found(Destination, timeToLive: Duration)
    /// Mail cannot go there, now or later: it is returned with this.
    case never(Reply)
    /// We could not find out; try later.
    case notNow(Reply)
}
