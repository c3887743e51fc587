package import MailValues

/// How strictly a next hop must encrypt.
package enum RouteTLS: String, Sendable, Hashable, CaseIterable {
    /// In clear, even if TLS is offered.
    case none
    /// If offered; any certificate.
    case may
    /// Encrypted or not at all; any certificate.
    case require
    /// Encrypted, with a certificate that names the host.
    case verify
}

/// A configured next hop: a name or an address, and a port.
package struct HostPort: Sendable, Hashable, CustomStringConvertible {
    /// A host name, or an address without brackets.
    package let host: String
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package var address: IPAddress? { IPAddress(host) }
    package var description: String { host.utf8.contains(0x3A) ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Hosts that take everything of a domain from us.
package struct SmarthostRoute: Sendable, Hashable {
    /// Tried in this order, or shuffled for each message.
    package var hosts: [HostPort]
    package var isShuffled: Bool
    package var tls: RouteTLS
    /// TLS from the first octet (port 465).
    package var implicitTLS: Bool
    /// The name under which the configuration keeps user and password.
    package var credentials: String?

    package init(
        hosts: [HostPort], isShuffled: Bool = false, tls: RouteTLS = .may, implicitTLS: Bool = false,
        credentials: String? = nil
    ) {
        self.hosts = hosts
        self.isShuffled = isShuffled
        self.tls = tls
        self.implicitTLS = implicitTLS
        self.credentials = credentials
    }
}

/// Where the mail of a domain goes. A configured host may be anywhere, loopback included; what DNS names may
/// not.
package enum Route: Sendable, Hashable {
    case mx
    case smarthost(SmarthostRoute)
    /// As a smarthost that speaks LMTP (RFC 2033).
    case lmtp(SmarthostRoute)
    /// Nobody may send there: said at RCPT, and to what is already queued.
    case refuse(Reply)
}

/// The route of each domain: exact name, else the longest `.suffix`, else the default.
package struct RouteTable: Sendable, Equatable {
    private var routes: DomainTable<Route>
    private var tls: DomainTable<RouteTLS>
    package var defaultRoute: Route
    /// For hosts found by MX; a smarthost brings its own.
    package var defaultTLS: RouteTLS

    package init(defaultRoute: Route = .mx, defaultTLS: RouteTLS = .may) {
        routes = DomainTable()
        tls = DomainTable()
        self.defaultRoute = defaultRoute
        self.defaultTLS = defaultTLS
    }

    /// `pattern`: `example.org` or `.example.org`. False: it cannot be a domain.
    @discardableResult
    package mutating func setRoute(_ route: Route, for pattern: String) -> Bool {
        routes.insert(route, for: pattern)
    }

    /// How strictly the MX hosts of a domain must encrypt.
    @discardableResult
    package mutating func setTLS(_ mode: RouteTLS, for pattern: String) -> Bool {
        tls.insert(mode, for: pattern)
    }

    package func route(for domain: Domain) -> Route { routes.value(for: domain) ?? defaultRoute }
    package func tls(for domain: Domain) -> RouteTLS { tls.value(for: domain) ?? defaultTLS }

    /// The route that somebody wrote down for this domain; nil where the default holds.
    package func configuredRoute(for domain: Domain) -> Route? { routes.value(for: domain) }
}
