internal import COpenSSL

/// Certificates and keys in their text form (RFC 7468).
enum PEM {
    /// A certificate that can stand in an array.
    final class Item {
        let certificate: PeerCertificate
        init(_ raw: OpaquePointer) { certificate = PeerCertificate(owning: raw) }
    }

    /// All certificates, in their order; a broken one ends the list and leaves its reason with the library.
    static func certificates(in text: [UInt8]) -> [Item] {
        ERR_clear_error()
        var items: [Item] = []
        reading(text) { bio in
            while let raw = PEM_read_bio_X509(bio, nil, refusePassphrase, nil) { items.append(Item(raw)) }
        }
        // The end of the text is an error to the library, too.
        if !items.isEmpty { ERR_clear_error() }
        return items
    }

    /// The first private key; the caller frees it.
    static func privateKey(in text: [UInt8]) -> OpaquePointer? {
        ERR_clear_error()
        var key: OpaquePointer?
        reading(text) { key = PEM_read_bio_PrivateKey($0, nil, refusePassphrase, nil) }
        return key
    }

    private static func reading(_ text: [UInt8], _ body: (OpaquePointer) -> Void) {
        text.withUnsafeBytes { octets in
            guard let bio = BIO_new_mem_buf(octets.baseAddress, CInt(octets.count)) else { return }
            body(bio)
            BIO_free(bio)
        }
    }

    /// A daemon has nobody to ask: without this the library would wait at the terminal.
    private static let refusePassphrase:
        @convention(c) (UnsafeMutablePointer<CChar>?, CInt, CInt, UnsafeMutableRawPointer?) -> CInt = {
            _, _, _, _ in -1
        }
}
