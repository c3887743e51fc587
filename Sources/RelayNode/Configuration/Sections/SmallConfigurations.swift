package import Intake
package import MailValues

/// Certificates that we show, and authorities that we believe.
package struct TLSConfiguration: Sendable, Equatable {
    package struct Certificate: Sendable, Equatable {
        /// PEM, the leaf first. Names are those in the certificate.
        package var certificateFile: String
        package var keyFile: String
        package init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// The first is shown to clients that ask for no name we have.
    package var certificates: [Certificate] = []
    /// PEM: who may vouch for names in client certificates.
    package var clientAuthoritiesFile: String?
    /// PEM: who may vouch for next hops under `verify`; nil: the system's store.
    package var serverAuthoritiesFile: String?
    package init() {}
}

package struct AuthenticationConfiguration: Sendable, Equatable {
    /// Written by `chappe account`; nil: there are no accounts.
    package var accountsFile: String?
    /// In the order in which they are offered.
    package var mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "EXTERNAL", "PLAIN", "LOGIN"]
    package init() {}
}

/// A user name and the file with its password.
package struct CredentialConfiguration: Sendable, Equatable {
    package var user: String
    /// The password and nothing else; read by `ConfigurationFiles.secret`.
    package var passwordFile: String
    package init(user: String, passwordFile: String) {
        self.user = user
        self.passwordFile = passwordFile
    }
}

package struct DNSConfiguration: Sendable, Equatable {
    /// Where questions go; empty: we ask the authoritative servers ourselves.
    package var forwarders: [SocketEndpoint] = []
    package var stubZones: [Domain: [SocketEndpoint]] = [:]
    package var hosts: [Domain: [IPAddress]] = [:]
    /// DNSSEC's root key (Debian: dns-root-data); nil: answers are not validated.
    package var trustAnchorFile: String? = "/usr/share/dns/root.key"
    /// Look-ups that run at a time; nil: the resolver's own number.
    package var lookupsInFlight: Int?
    package init() {}
}

/// nil leaves a value to the store.
package struct QueueConfiguration: Sendable, Equatable {
    /// Octets of decision records and attempts that `explain` can tell of.
    package var ledgerOctets: Int?
    package var ledgerAge: Duration?
    /// Octets of write-ahead log: what is read again after a crash.
    package var logOctets: Int?
    /// Octets of content kept in memory before it is written to tables.
    package var contentBufferOctets: Int?
    package var blockCacheOctets: Int?
    package init() {}
}

package struct AdminConfiguration: Sendable, Equatable {
    package var socket = "/run/chappe/admin.sock"
    /// Who may open it beside root and ourselves.
    package var group = "chappe"
    /// `/metrics` and `/healthz/*`, and nothing else; nil: not served.
    package var metrics: SocketEndpoint?
    package init() {}
}

/// How other nodes reach this one, once it is in a cluster. Who is in it the operator says by command.
package struct ClusterConfiguration: Sendable, Equatable {
    /// Our own, as the others reach it; nil: the one from which we reach them.
    package var address: IPAddress?
    /// The first of five: facts, mail that is handed over, the door for new nodes, and two for the next link key.
    package var port: UInt16 = 7946
    package init() {}
}

package struct EventConfiguration: Sendable, Equatable {
    /// JSON lines; nil: none are written.
    package var file: String? = "/var/log/chappe/events.jsonl"
    /// Octets that wait for the disk before lines are dropped and counted; nil: the recorder's own number.
    package var waitingOctets: Int?
    package init() {}
}

/// What is known of clients, accounts and messages, and how far it is followed; each listener says what it does
/// about it.
package struct GateConfiguration: Sendable, Equatable {
    /// Networks that are never slowed down nor refused, not even by order; nil: loopback and the relay networks.
    package var protected: [Network]?
    /// Whether what several nodes say of a host is believed, or only what this one has seen and the operator orders.
    package var follows = true
    package var slowing = Slowing.Limits()
    package init() {}
}
