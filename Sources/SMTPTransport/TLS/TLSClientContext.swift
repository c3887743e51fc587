internal import COpenSSL
internal import SMTPProtocol

/// What outgoing connections need for their handshakes, one `SSL_CTX` for each strictness.
///
/// Immutable: new authorities mean a new one.
package final class TLSClientContext: Sendable {
    private let lax: LibraryContext
    private let encrypting: LibraryContext
    private let verifying: LibraryContext

    /// Reads the system's authorities, about thirty milliseconds.
    package init(settings: TLSClientSettings = TLSClientSettings()) throws(TLSConfigurationError) {
        // `may`: whatever the host can do is better than clear text, which is what would follow.
        lax = try LibraryContext(.client, oldest: .v10, securityLevel: 0)
        SSL_CTX_set_options(lax.raw, chappe_SSL_OP_LEGACY_SERVER_CONNECT())
        encrypting = try LibraryContext(.client, oldest: .v12, securityLevel: 1)
        verifying = try LibraryContext(.client, oldest: .v12, securityLevel: 2)
        SSL_CTX_set_verify(verifying.raw, SSL_VERIFY_PEER, nil)
        switch settings.authorities {
        case .system: try verifying.trustSystem()
        case .only(let authorities): try verifying.trust(authorities)
        }
        guard let identity = settings.identity else { return }
        for context in [lax, encrypting, verifying] { try context.use(identity) }
    }

    func raw(for mode: DialTarget.TLSMode) -> OpaquePointer {
        switch mode {
        case .none, .may: lax.raw
        case .require: encrypting.raw
        case .verify: verifying.raw
        }
    }
}
