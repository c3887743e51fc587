package import MailValues

/// How names are resolved.
package struct ResolverSettings: Sendable {
    package enum Mode: Sendable, Equatable {
        /// From the root down, by ourselves.
        case recursive
        /// By these resolvers, in the order in which they answer best. We validate what they say.
        case forward([Server])
    }

    package struct Server: Sendable, Equatable, CustomStringConvertible {
        package var address: IPAddress
        package var port: UInt16
        package init(_ address: IPAddress, port: UInt16 = 53) {
            self.address = address
            self.port = port
        }
        /// As libunbound takes it.
        package var description: String { "\(address)@\(port)" }
    }

    /// A zone that the Internet does not know, or knows otherwise, asked of its own servers.
    package struct StubZone: Sendable, Equatable {
        package var name: String
        package var servers: [Server]
        /// Signed, and the chain of trust leads to it. An inside zone seldom is: then the root's proof that
        /// it does not exist must not count.
        package var isSigned: Bool
        package init(name: String, servers: [Server], isSigned: Bool = false) {
            self.name = name
            self.servers = servers
            self.isSigned = isSigned
        }
    }

    package enum TrustAnchor: Sendable, Equatable {
        /// Nothing is validated, so nothing is secure: no DANE.
        case none
        case file(String)
        /// DS or DNSKEY records, as a zone file has them.
        case records([String])
    }

    package var mode = Mode.recursive
    package var stubZones: [StubZone] = []
    /// Answered before DNS is asked, in both directions, and never secure.
    package var hosts = HostsFile()
    /// Kept by the package dns-root-data.
    package var trustAnchor = TrustAnchor.file("/usr/share/dns/root.key")
    /// Whether servers are asked over IPv6.
    package var usesIPv6 = true
    package var limits = ResolverLimits()

    package init() {}
}

/// What look-ups may cost.
package struct ResolverLimits: Sendable, Equatable {
    /// Look-ups in flight that have not shown to be slow.
    package var promptLookups = 256
    /// Look-ups that passed `patience`; beyond them no name is asked for that has not answered before.
    package var slowLookups = 512
    /// Look-ups of names that failed lately. Together the three stay below the sockets that libunbound may
    /// open.
    package var failingLookups = 64
    /// Look-ups that wait for one of these places; beyond them the answer is "later" at once.
    package var waitingLookups = 4096
    /// After this a look-up counts as slow.
    package var patience: Duration = .seconds(1)
    /// After this its askers hear "later"; libunbound may go on and fill the cache.
    package var timeout: Duration = .seconds(10)
    /// How long a failure, or a bogus answer, is given again without asking.
    package var failureHold: Duration = .seconds(15)
    /// Answers kept, at least half of them the latest.
    package var cachedAnswers = 65_536
    /// The longest that an answer is kept, whatever it says of itself.
    package var cacheLongest: Duration = .seconds(3600)
    /// … and one that there is nothing (RFC 2308 §5 lets it be up to three hours).
    package var negativeLongest: Duration = .seconds(300)
    /// Names whose last answer or failure is remembered.
    package var rememberedNames = 131_072

    package init() {}

    /// Sockets that libunbound may open at once, one for each question to a server.
    package var socketCount: Int { promptLookups + slowLookups + 2 * failingLookups + 64 }

    /// The limits made smaller, in proportion, until their sockets are at most half of the descriptors that a
    /// process has: mail needs the others. Each share keeps some places.
    package func fitting(descriptors: Int) -> ResolverLimits {
        guard socketCount > descriptors / 2 else { return self }
        let part = Double(max(0, descriptors / 2 - 64)) / Double(socketCount - 64)
        var limits = self
        limits.promptLookups = max(16, Int(Double(promptLookups) * part))
        limits.slowLookups = max(16, Int(Double(slowLookups) * part))
        limits.failingLookups = max(4, Int(Double(failingLookups) * part))
        return limits
    }
}
