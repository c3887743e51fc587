internal import COpenSSL

/// One `SSL_CTX`, set up once and then only read.
///
/// `@unchecked Sendable`: many threads may make sessions of a context that nobody changes any more
/// (SSL_CTX_new(3)).
final class LibraryContext: @unchecked Sendable {
    let raw: OpaquePointer

    enum Side { case server, client }

    /// - Parameter securityLevel: what OpenSSL makes of keys and signatures (SSL_CTX_set_security_level(3)).
    init(_ side: Side, oldest: TLSVersion, securityLevel: Int) throws(TLSConfigurationError) {
        guard let raw = SSL_CTX_new(side == .server ? TLS_server_method() : TLS_client_method()) else {
            throw .library(reason: LibraryErrors.take())
        }
        self.raw = raw
        // The distribution's openssl.cnf may say otherwise: what matters here is said here.
        guard chappe_SSL_CTX_set_min_proto_version(raw, oldest.wireVersion) == 1,
            SSL_CTX_set_cipher_list(raw, "DEFAULT:!PSK:!SRP:@SECLEVEL=\(securityLevel)") == 1
        else { throw .library(reason: LibraryErrors.take()) }
        // Renegotiation lets one peer cost us many handshakes; compression tells secrets by their length.
        SSL_CTX_set_options(raw, chappe_SSL_OP_NO_RENEGOTIATION() | chappe_SSL_OP_NO_COMPRESSION())
        // Idle sessions give their record buffers back: 2 × 16 KiB each.
        chappe_SSL_CTX_set_mode(raw, Int(SSL_MODE_RELEASE_BUFFERS))
        chappe_SSL_CTX_set_session_cache_mode(raw, Int(SSL_SESS_CACHE_OFF))
    }

    deinit { SSL_CTX_free(raw) }

    /// Adds a chain and its key; a context holds one of each kind of key.
    func use(_ identity: TLSIdentity) throws(TLSConfigurationError) {
        let chain = PEM.certificates(in: identity.certificate)
        guard let leaf = chain.first else {
            throw .badCertificate(name: identity.name, reason: LibraryErrors.take())
        }
        guard leaf.certificate.lend({ SSL_CTX_use_certificate(raw, $0) }) == 1 else {
            throw .badCertificate(name: identity.name, reason: LibraryErrors.take())
        }
        guard let key = PEM.privateKey(in: identity.key) else {
            throw .badKey(name: identity.name, reason: LibraryErrors.take())
        }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(raw, key) == 1, SSL_CTX_check_private_key(raw) == 1 else {
            ERR_clear_error()
            throw .keyDoesNotMatch(name: identity.name)
        }
        for issuer in chain.dropFirst() {
            guard issuer.certificate.lend({ chappe_SSL_CTX_add1_chain_cert(raw, $0) }) == 1 else {
                throw .badCertificate(name: identity.name, reason: LibraryErrors.take())
            }
        }
    }

    /// Trusts these authorities, in PEM, beside those it trusts already.
    func trust(_ authorities: [UInt8]) throws(TLSConfigurationError) {
        let certificates = PEM.certificates(in: authorities)
        guard !certificates.isEmpty, let store = SSL_CTX_get_cert_store(raw) else {
            throw .badAuthorities(reason: LibraryErrors.take())
        }
        for authority in certificates {
            guard authority.certificate.lend({ X509_STORE_add_cert(store, $0) }) == 1 else {
                throw .badAuthorities(reason: LibraryErrors.take())
            }
        }
    }

    /// Trusts what the distribution trusts.
    func trustSystem() throws(TLSConfigurationError) {
        // Debian's bundle is read once, here. The default paths would be searched at each handshake, on an
        // event loop.
        if SSL_CTX_load_verify_file(raw, "/etc/ssl/certs/ca-certificates.crt") == 1 { return }
        ERR_clear_error()
        guard SSL_CTX_set_default_verify_paths(raw) == 1 else {
            throw .badAuthorities(reason: LibraryErrors.take())
        }
    }
}

extension TLSVersion {
    var wireVersion: CInt {
        switch self {
        case .v10: TLS1_VERSION
        case .v12: TLS1_2_VERSION
        case .v13: TLS1_3_VERSION
        }
    }
}
