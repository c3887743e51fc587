/// A secret key as text, with what it is for, so that no key is taken for another.
///
/// ```
/// # The secret key of a node of chappe. Whoever reads it is that node.
/// node ed25519 nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=
/// ```
/// The file on disk is `KeyStore`'s of `RelayNode`: its owner alone may read it.
package enum KeyFile {
    package enum Purpose: String, Sendable, CaseIterable {
        /// A node's identity.
        case node
        /// The operator's, which signs orders.
        case `operator`
        /// A node's links': CURVE's, which another library draws and uses.
        case link

        /// As it stands in the file.
        fileprivate var algorithm: String { self == .link ? "curve25519" : "ed25519" }

        var comment: String {
            switch self {
            case .node: "The secret key of a node of chappe. Whoever reads it is that node."
            case .link: "The secret key of a node's links. Its identity signs for it, and it can be changed."
            case .operator: "The operator's secret key of a cluster of chappe. Whoever reads it commands it."
            }
        }
    }

    package static let sizeLimitOctets = 4_096

    /// `secret` has 32 octets: a seed of Ed25519, or a secret of CURVE.
    package static func text(of secret: [UInt8], for purpose: Purpose) -> [UInt8] {
        var text = Array("# \(purpose.comment)\n\(purpose.rawValue) \(purpose.algorithm) ".utf8)
        text.append(contentsOf: Base64.encode(secret))
        text.append(0x0A)
        return text
    }

    package static func parse(
        _ text: [UInt8], for purpose: Purpose
    ) throws(KeyFileError) -> [UInt8] {
        guard text.count <= sizeLimitOctets, let text = String(validating: text, as: UTF8.self) else {
            throw .notAKey
        }
        let lines = text.split { $0 == "\n" || $0 == "\r\n" }.filter { !$0.hasPrefix("#") }
        guard lines.count == 1 else { throw .notAKey }
        let fields = lines[0].split { $0 == " " || $0 == "\t" }
        guard fields.count == 3, let found = Purpose(rawValue: String(fields[0])),
            fields[1] == found.algorithm,
            let secret = Base64.decode(fields[2].utf8, limit: Ed25519.seedOctets),
            secret.count == Ed25519.seedOctets
        else { throw .notAKey }
        guard found == purpose else { throw .otherPurpose(found) }
        return secret
    }
}

/// A key file that is not what is wanted. It never repeats the text.
package enum KeyFileError: Error, Equatable, CustomStringConvertible {
    case notAKey
    case otherPurpose(KeyFile.Purpose)

    package var description: String {
        switch self {
        case .notAKey: "holds no key"
        case .otherPurpose(let found):
            "holds the key of \(found == .node ? "a node" : found == .link ? "a node's links" : "an operator")"
        }
    }
}
