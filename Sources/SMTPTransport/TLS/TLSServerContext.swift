internal import COpenSSL
package import MailValues
internal import Synchronization

/// Everything a listener needs for its handshakes: certificates by name, versions, what it asks of clients.
///
/// Immutable. A reload makes a new one and puts it in the store; sessions keep the one they began with. The
/// keys of session tickets live and die with it.
package final class TLSServerContext: Sendable {
    /// What is shown for a name, for `status` and for warnings before it ends.
    package struct Certificate: Sendable, Equatable {
        package let names: [String]
        package let notAfter: Timestamp
    }

    package let certificates: [Certificate]

    private let first: LibraryContext
    private let names: ServerNames
    let verifiesClients: Bool

    var raw: OpaquePointer { first.raw }

    package init(settings: TLSServerSettings) throws(TLSConfigurationError) {
        var faces: [Face] = []
        var certificates: [Certificate] = []
        for identity in settings.identities {
            guard let leaf = PEM.certificates(in: identity.certificate).first else {
                throw .badCertificate(name: identity.name, reason: LibraryErrors.take())
            }
            let names = leaf.certificate.names.sorted()
            let key = leaf.certificate.keyKind
            certificates.append(Certificate(names: names, notAfter: leaf.certificate.notAfter))
            // A second key of the same kind would silently take the place of the first.
            if let index = faces.firstIndex(where: {
                $0.names == names && !names.isEmpty && !$0.keys.contains(key)
            }) {
                try faces[index].context.use(identity)
                faces[index].keys.append(key)
            } else {
                let context = try Self.context(settings)
                try context.use(identity)
                faces.append(Face(names: names, keys: [key], context: context))
            }
        }
        guard let first = faces.first else { throw .noIdentity }
        self.first = first.context
        self.certificates = certificates
        names = ServerNames(faces)
        if case .asked(authorities: .some) = settings.clientCertificates {
            verifiesClients = true
        } else {
            verifiesClients = false
        }
        names.answer(for: first.context)
    }

    private static func context(_ settings: TLSServerSettings) throws(TLSConfigurationError) -> LibraryContext
    {
        // Level 1 for the world: what we refuse here would come in clear. TLS 1.0 signs with SHA-1: level 0.
        let context = try LibraryContext(
            .server, oldest: settings.oldestVersion, securityLevel: settings.oldestVersion == .v10 ? 0 : 1)
        SSL_CTX_set_options(context.raw, chappe_SSL_OP_CIPHER_SERVER_PREFERENCE())
        chappe_SSL_CTX_set_dh_auto(context.raw)
        if case .asked(let authorities) = settings.clientCertificates {
            if let authorities { try context.trust(authorities) }
            SSL_CTX_set_verify(context.raw, SSL_VERIFY_PEER, nil)
            SSL_CTX_set_cert_verify_callback(context.raw, takeAnyCertificate, nil)
            // A resumed session shows no certificate, only a memory of one, perhaps older than the
            // authorities.
            SSL_CTX_set_options(context.raw, chappe_SSL_OP_NO_TICKET())
            SSL_CTX_set_num_tickets(context.raw, 0)
        }
        return context
    }

    /// Verifies, notes the outcome, and goes on in any case: a fingerprint may be all that we want.
    private static let takeAnyCertificate: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt =
        {
            verification, _ in
            if X509_verify_cert(verification) != 1 && X509_STORE_CTX_get_error(verification) == X509_V_OK {
                X509_STORE_CTX_set_error(verification, X509_V_ERR_UNSPECIFIED)
            }
            ERR_clear_error()
            return 1
        }
}

/// What is shown under some names: one certificate for each kind of key.
private struct Face {
    let names: [String]
    var keys: [CInt]
    let context: LibraryContext
}

/// Which certificate answers to which name (RFC 6066 §3).
private final class ServerNames: Sendable {
    private let exact: [String: LibraryContext]
    /// By what stands behind the star.
    private let wildcard: [String: LibraryContext]

    init(_ faces: [Face]) {
        var exact: [String: LibraryContext] = [:]
        var wildcard: [String: LibraryContext] = [:]
        for face in faces {
            for name in face.names where !name.contains("@") {
                if name.hasPrefix("*.") {
                    let parent = String(name.dropFirst(2))
                    wildcard[parent] = wildcard[parent] ?? face.context
                } else {
                    exact[name] = exact[name] ?? face.context
                }
            }
        }
        self.exact = exact
        self.wildcard = wildcard
    }

    private func context(for name: String) -> LibraryContext? {
        if let found = exact[name] { return found }
        // RFC 9525 §6.3: a star stands for exactly one label.
        guard let dot = name.firstIndex(of: ".") else { return nil }
        return wildcard[String(name[name.index(after: dot)...])]
    }

    /// This object must live as long as any session of `context`.
    func answer(for context: LibraryContext) {
        chappe_SSL_CTX_set_tlsext_servername_callback(
            context.raw,
            { session, _, argument in
                guard let session, let argument,
                    let name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name)
                else { return SSL_TLSEXT_ERR_NOACK }
                let names = Unmanaged<ServerNames>.fromOpaque(argument).takeUnretainedValue()
                guard let found = names.context(for: Domain(String(cString: name)).name) else {
                    return SSL_TLSEXT_ERR_NOACK
                }
                SSL_set_SSL_CTX(session, found.raw)
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

/// The context in force, and the way to put another in its place while sessions go on.
package final class TLSServerContextStore: Sendable {
    private let held: Mutex<TLSServerContext>

    package init(_ context: TLSServerContext) { held = Mutex(context) }

    package var current: TLSServerContext { held.withLock { $0 } }

    package func replace(with context: TLSServerContext) { held.withLock { $0 = context } }
}
