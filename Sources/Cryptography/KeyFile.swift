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

        var comment: String {
            switch self {
            case .node: "The secret key of a node of chappe. Whoever reads it is that node."
            case .operator: "The operator's secret key of a cluster of chappe. Whoever reads it commands it."
            }
        }
    }

    package static let sizeLimitOctets = 4_096

    package static func text(of key: Ed25519PrivateKey, for purpose: Purpose) -> [UInt8] {
        var text = Array("# \(purpose.comment)\n\(purpose.rawValue) ed25519 ".utf8)
        text.append(contentsOf: Base64.encode(key.seed))
        text.append(0x0A)
        return text
    }

    package static func parse(
        _ text: [UInt8], for purpose: Purpose
    ) throws(KeyFileError) -> Ed25519PrivateKey {
        guard text.count <= sizeLimitOctets, let text = String(validating: text, as: UTF8.self) else {
            throw .notAKey
        }
        let lines = text.split { $0 == "\n" || $0 == "\r\n" }.filter { !$0.hasPrefix("#") }
        guard lines.count == 1 else { throw .notAKey }
        let fields = lines[0].split { $0 == " " || $0 == "\t" }
        guard fields.count == 3, let found = Purpose(rawValue: String(fields[0])), fields[1] == "ed25519",
            let seed = Base64.decode(fields[2].utf8, limit: Ed25519.seedOctets),
            let key = Ed25519PrivateKey(seed: seed)
        else { throw .notAKey }
        guard found == purpose else { throw .otherPurpose(found) }
        return key
    }
}

/// A key file that is not what is wanted. It never repeats the text.
package enum KeyFileError: Error, Equatable, CustomStringConvertible {
    case notAKey
    case otherPurpose(KeyFile.Purpose)

    package var description: String {
        switch self {
        case .notAKey: "holds no key"
        case .otherPurpose(let found): "holds the key of \(found == .node ? "a node" : "an operator")"
        }
    }
}
