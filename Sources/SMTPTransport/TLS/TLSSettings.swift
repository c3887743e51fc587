/// The oldest version of TLS that a side agrees to.
package enum TLSVersion: String, Sendable, Equatable, CaseIterable {
    /// For listed inside networks alone: RFC 8996 deprecates it, and its signatures need the lowest security
    /// level.
    case v10 = "1.0"
    case v12 = "1.2"
    case v13 = "1.3"
}

/// A certificate chain, the leaf first, and the leaf's key; both as PEM.
package struct TLSIdentity: Sendable {
    let certificate: [UInt8]
    let key: [UInt8]
    /// Where they came from, for error texts.
    let name: String

    /// From PEM octets that the caller guards.
    package init(certificate: [UInt8], key: [UInt8], name: String) {
        self.certificate = certificate
        self.key = key
        self.name = name
    }

    /// From files; a key that group or others may read is refused.
    package init(certificateFile: String, keyFile: String) throws(TLSConfigurationError) {
        certificate = try PEMFile.read(certificateFile, isSecret: certificateFile == keyFile)
        key = certificateFile == keyFile ? certificate : try PEMFile.read(keyFile, isSecret: true)
        name = certificateFile
    }
}

/// What a listener shows and asks in a handshake.
package struct TLSServerSettings: Sendable {
    /// Whether clients are asked for a certificate; none is ever needed to go on.
    package enum ClientCertificates: Sendable {
        case notAsked
        /// Any certificate is taken, for its fingerprint; its names count only if it chains to one of
        /// `authorities` (PEM).
        case asked(authorities: [UInt8]?)
    }

    /// The first is shown to clients that ask for no name we have. Two for the same names, RSA and ECDSA, go
    /// together.
    package var identities: [TLSIdentity]
    package var oldestVersion: TLSVersion
    package var clientCertificates: ClientCertificates

    package init(
        identities: [TLSIdentity], oldestVersion: TLSVersion = .v12,
        clientCertificates: ClientCertificates = .notAsked
    ) {
        self.identities = identities
        self.oldestVersion = oldestVersion
        self.clientCertificates = clientCertificates
    }
}

/// Whom our outgoing connections trust when they must verify.
package struct TLSClientSettings: Sendable {
    package enum Authorities: Sendable {
        /// The distribution's store (package ca-certificates).
        case system
        /// PEM; nobody else is trusted.
        case only([UInt8])
    }

    package var authorities: Authorities
    /// Shown to servers that ask; nil: we have none.
    package var identity: TLSIdentity?

    package init(authorities: Authorities = .system, identity: TLSIdentity? = nil) {
        self.authorities = authorities
        self.identity = identity
    }
}
