internal import Cryptography

/// The one message of PLAIN: authorization, name and password, divided by NUL (RFC 4616 §2).
struct PlainMessage: Equatable {
    let authorization: String
    let name: String
    let password: String

    /// Nil for what is no such message: wrong number of NULs, no UTF-8, too long.
    init?(_ octets: [UInt8]) {
        guard octets.count <= 2 * ScramLimits.nameOctets + OpaqueString.octetLimit + 2 else { return nil }
        let parts = octets.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let authorization = String(validating: parts[0], as: UTF8.self),
            let name = String(validating: parts[1], as: UTF8.self),
            let password = String(validating: parts[2], as: UTF8.self), !name.isEmpty, !password.isEmpty
        else { return nil }
        self.authorization = authorization
        self.name = name
        self.password = password
    }
}
