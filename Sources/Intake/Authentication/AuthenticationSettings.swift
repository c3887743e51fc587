/// How much guessing we bear, and how long we remember a password that was right.
package struct AuthenticationSettings: Sendable, Equatable {
    /// Failures that a network (an IPv4 /24, an IPv6 /64) may make within `failureWindow`.
    package var failuresPerNetwork = 30
    /// Failures for one account, from networks where nobody has logged in to it lately.
    package var failuresPerAccount = 15
    /// In which the failures above are forgiven, one after another.
    package var failureWindow: Duration = .seconds(600)
    /// How long a verified password need not be digested again; a keyed hash of it is kept in memory.
    package var memory: Duration = .seconds(300)
    /// Networks and accounts whose failures are remembered, and passwords that are; the least recent half is
    /// forgotten.
    package var memoryEntries = 20_000
    /// Whether EHLO offers SCRAM-SHA-256-PLUS where TLS allows it: who then says that we do not has been lied
    /// to.
    package var offersChannelBinding = true

    package init() {}
}

/// Which account a client certificate stands for (AUTH EXTERNAL).
package struct CertificateAccounts: Sendable, Equatable {
    /// By SHA-256 of the certificate, lower-case hexadecimal.
    package var byFingerprint: [String: String]
    /// By a DNS or e-mail name, lower case, of a certificate that chains to the named authority.
    package var byName: [String: String]

    package init(byFingerprint: [String: String] = [:], byName: [String: String] = [:]) {
        self.byFingerprint = byFingerprint
        self.byName = byName
    }
}
