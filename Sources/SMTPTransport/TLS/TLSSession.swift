internal import COpenSSL
internal import MailValues
internal import NIOCore
internal import SMTPProtocol

/// One TLS session: `SSL` between two buffers. It belongs to one event loop.
final class TLSSession {
    enum Step {
        /// The handshake is finished, or octets were decrypted.
        case done
        /// Nothing more until the peer sends.
        case needsInput
        /// The peer said close_notify.
        case closed
        case failed(TLSError)
    }

    private let raw: OpaquePointer
    private let wire = BufferBIO()
    /// Holds what the callbacks of `SSL_CTX` point to for as long as they may be called.
    private let context: AnyObject
    private let namesCount: Bool

    /// - Parameters:
    ///   - serverContext: an `SSL_CTX` that lives as long as `keeping`.
    ///   - namesCount: whether the names of a verified peer certificate go into the facts.
    private init?(raw context: OpaquePointer, keeping: AnyObject, namesCount: Bool) {
        guard let raw = SSL_new(context) else { return nil }
        self.raw = raw
        self.context = keeping
        self.namesCount = namesCount
        guard let bio = wire.makeBIO() else { return nil }
        SSL_set_bio(raw, bio, bio)
    }

    deinit { SSL_free(raw) }

    convenience init?(accepting context: TLSServerContext) {
        self.init(raw: context.raw, keeping: context, namesCount: context.verifiesClients)
        SSL_set_accept_state(raw)
    }

    /// `name` is what SNI says and `names` what the certificate must bear; nil asks for no verification.
    convenience init?(connecting context: TLSClientContext, name: String, mode: DialTarget.TLSMode) {
        var verified: [String]?
        if case .verify(let names) = mode { verified = names }
        self.init(raw: context.raw(for: mode), keeping: context, namesCount: verified != nil)
        SSL_set_connect_state(raw)
        // RFC 6066 §3: a literal address is no server name.
        if PeerName(name) == .host {
            guard chappe_SSL_set_tlsext_host_name(raw, name) == 1 else { return nil }
        }
        if let verified { guard expect(verified) else { return nil } }
    }

    /// RFC 9525 §6.3: names of the subject alternative name only, a wildcard only as the whole left-most
    /// label.
    private func expect(_ names: [String]) -> Bool {
        SSL_set_hostflags(
            raw, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        for name in names {
            switch PeerName(name) {
            case .host: guard SSL_add1_host(raw, name) == 1 else { return false }
            case .address(let text):
                guard X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), text) == 1 else { return false }
            }
        }
        // Without a name every certificate of the authority would do.
        return !names.isEmpty
    }

    // MARK: From and to the wire

    func feed(_ octets: inout ByteBuffer) {
        if wire.inbound.readableBytes == 0 {
            wire.inbound = octets
        } else {
            wire.inbound.writeBuffer(&octets)
        }
    }

    var inboundOctets: Int { wire.inbound.readableBytes }

    /// What waits to be sent, if anything.
    func takeOutbound() -> ByteBuffer? {
        guard wire.outbound.readableBytes > 0 else { return nil }
        defer { wire.outbound = ByteBuffer() }
        return wire.outbound
    }

    // MARK: Steps

    func handshake() -> Step {
        ERR_clear_error()
        let result = SSL_do_handshake(raw)
        if result == 1 { return .done }
        let step = outcome(of: result)
        guard case .failed(let error) = step else { return step }
        let verification = SSL_get_verify_result(raw)
        if SSL_get_verify_mode(raw) & SSL_VERIFY_PEER != 0 && namesCount && verification != X509_V_OK {
            return .failed(
                .certificateRefused(detail: String(cString: X509_verify_cert_error_string(verification))))
        }
        return .failed(.handshakeFailed(detail: error.detail))
    }

    /// Appends all that can be decrypted now. `needsInput` is the ordinary end.
    func decrypt(into plain: inout ByteBuffer) -> Step {
        while true {  // ends: each turn consumes input, of which there is a bounded amount
            var result: CInt = 0
            ERR_clear_error()
            plain.writeWithUnsafeMutableBytes(minimumWritableBytes: max(16, Int(SSL_pending(raw)))) { space in
                result = SSL_read(raw, space.baseAddress, CInt(min(space.count, Int(CInt.max))))
                return max(0, Int(result))
            }
            guard result > 0 else {
                if wire.inbound.readableBytes == 0 { wire.inbound = ByteBuffer() }
                return outcome(of: result)
            }
        }
    }

    /// Encrypts in records of at most 16 KiB. False: the session is broken.
    func encrypt(_ plain: ByteBuffer) -> Bool {
        let count = plain.readableBytes
        guard count > 0 else { return true }
        wire.outbound.reserveCapacity(minimumWritableBytes: count + 64 * (count / 16_384 + 1))
        ERR_clear_error()
        return plain.withUnsafeReadableBytes { SSL_write(raw, $0.baseAddress, CInt($0.count)) } == CInt(count)
    }

    /// Says close_notify; the peer's own is not waited for.
    func sayGoodbye() {
        ERR_clear_error()
        SSL_shutdown(raw)
        ERR_clear_error()
    }

    private func outcome(of result: CInt) -> Step {
        switch SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: return .failed(.broken(detail: LibraryErrors.take()))
        }
    }

    // MARK: What the handshake showed

    func facts() -> TLSFacts {
        var facts = TLSFacts(
            version: String(cString: SSL_get_version(raw)),
            cipher: SSL_CIPHER_get_name(SSL_get_current_cipher(raw)).map { String(cString: $0) } ?? "",
            serverName: serverName, exporter: exporter())
        if let certificate = PeerCertificate(of: raw) {
            facts.peerFingerprint = certificate.fingerprint
            if namesCount && SSL_get_verify_result(raw) == X509_V_OK {
                facts.verifiedPeerNames = certificate.names
            }
        }
        return facts
    }

    /// As it stood in SNI: a stranger's text, on the server's side.
    private var serverName: String? {
        SSL_get_servername(raw, TLSEXT_NAMETYPE_host_name).map { String(cString: $0).printable(limit: 255) }
    }

    /// The value of `tls-exporter`, or nothing where it would not be unique to this connection.
    private func exporter() -> [UInt8] {
        // RFC 9266 §2, §4.2: before TLS 1.3 only with the extended master secret (RFC 7627).
        guard SSL_version(raw) >= TLS1_3_VERSION || chappe_SSL_get_extms_support(raw) == 1 else { return [] }
        let label = "EXPORTER-Channel-Binding"
        return [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            // The context is the empty string, which before TLS 1.3 is not the same as none (RFC 5705 §4).
            let done = SSL_export_keying_material(
                raw, buffer.baseAddress, 32, label, label.utf8.count, "", 0, 1)
            count = done == 1 ? 32 : 0
        }
    }
}
