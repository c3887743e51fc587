internal import COpenSSL
internal import MailValues

/// An X.509 certificate, a peer's or ours, freed when its scope ends.
struct PeerCertificate: ~Copyable {
    private let raw: OpaquePointer

    /// The one that the peer of a session showed.
    init?(of session: OpaquePointer) {
        guard let raw = SSL_get1_peer_certificate(session) else { return nil }
        self.raw = raw
    }

    /// Takes over the reference.
    init(owning raw: OpaquePointer) { self.raw = raw }

    deinit { X509_free(raw) }

    /// Lends the certificate to a function of the library that takes a reference of its own if it wants one.
    borrowing func lend<Result>(_ body: (OpaquePointer) -> Result) -> Result { body(raw) }

    /// SHA-256 over the DER form, lower-case hexadecimal.
    var fingerprint: String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(raw, EVP_sha256(), &digest, &count) == 1 else { return "" }
        let letters = Array("0123456789abcdef".utf8)
        let text = digest[..<Int(count)].flatMap { [letters[Int($0 >> 4)], letters[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// DNS and e-mail names of the subject alternative name, in lower case.
    ///
    /// The common name does not count (RFC 9525 §2). A name with anything but printable ASCII is left out: a
    /// NUL in the middle once made one name look like another.
    var names: [String] {
        guard let found = X509_get_ext_d2i(raw, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(found)
        defer { GENERAL_NAMES_free(list) }
        var names: [String] = []
        for index in 0..<min(chappe_sk_GENERAL_NAME_num(list), 1_000) {
            var kind: CInt = 0
            guard let value = GENERAL_NAME_get0_value(chappe_sk_GENERAL_NAME_value(list, index), &kind),
                kind == GEN_DNS || kind == GEN_EMAIL
            else { continue }
            let text = value.assumingMemoryBound(to: ASN1_STRING.self)
            let octets = UnsafeBufferPointer(
                start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
            guard !octets.isEmpty, octets.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { continue }
            names.append(Domain(String(decoding: octets, as: UTF8.self)).name)
        }
        return names
    }

    /// The algorithm of its key, by OpenSSL's number.
    var keyKind: CInt { X509_get0_pubkey(raw).map { EVP_PKEY_get_base_id($0) } ?? 0 }

    /// When it ends.
    var notAfter: Timestamp {
        var civil = tm()
        guard ASN1_TIME_to_tm(X509_get0_notAfter(raw), &civil) == 1 else { return Timestamp(seconds: 0) }
        return Timestamp(seconds: Int64(timegm(&civil)))
    }
}
