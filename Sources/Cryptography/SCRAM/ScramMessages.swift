/// Why an exchange ends. The peer hears only that it failed.
package enum ScramError: Error, Equatable {
    /// Not in the form of RFC 5802 §7.
    case malformed
    /// `m=`: an extension that we must know and do not (RFC 5802 §5.1).
    case extensionRequired
    /// The name is no name after RFC 8265.
    case badName
    /// `y` where binding is offered (a downgrade), `p` without the mechanism for it, or another type of
    /// binding.
    case channelBindingMismatch
    case nonceMismatch
    /// The proof is not that of the password.
    case badProof
    /// The iterations are fewer than is safe or more than is sane.
    case badIterations
    /// `e=`: the server's reason, printable and short.
    case serverRefused(String)
    /// The server does not know the password's verifier: it is not who we think.
    case badServerSignature
}

/// The flag with which the client says what it knows of channel binding (RFC 5802 §7).
package enum ScramBindingFlag: Sendable, Equatable {
    /// `n`: the client cannot.
    case unsupported
    /// `y`: the client can, and believes that the server cannot.
    case notOffered
    /// `p=…`: in use, of this type.
    case used(type: String)
}

/// One attribute: a letter and its value.
struct ScramAttribute {
    let letter: UInt8
    let value: ArraySlice<UInt8>

    /// The attributes of a message, or nil if one is none.
    static func all(in message: ArraySlice<UInt8>) -> [ScramAttribute]? {
        var attributes: [ScramAttribute] = []
        for part in message.split(
            separator: 0x2C, maxSplits: ScramLimits.attributes, omittingEmptySubsequences: false)
        {
            guard part.count >= 3, part.dropFirst().first == 0x3D, let letter = part.first, isLetter(letter),
                attributes.count < ScramLimits.attributes, !part.contains(0)
            else { return nil }
            attributes.append(ScramAttribute(letter: letter, value: part.dropFirst(2)))
        }
        return attributes
    }

    private static func isLetter(_ octet: UInt8) -> Bool { (0x61...0x7A).contains(octet | 0x20) }
}

/// What a peer can make us hold.
package enum ScramLimits {
    /// Octets of one message; a line of AUTH carries 9,216 (RFC 4954 §4).
    package static let messageOctets = 4_096
    package static let nonceOctets = 512
    package static let attributes = 16
    /// Octets of a name, as for PLAIN (RFC 4616 §2).
    package static let nameOctets = 255
}

extension ScramAttribute {
    var isNonce: Bool {
        // RFC 5802 §7, `printable`: the comma is gone by now.
        letter == 0x72 && value.count <= ScramLimits.nonceOctets
            && value.allSatisfy { $0 >= 0x21 && $0 <= 0x7E }
    }
}

/// Names inside messages: `,` and `=` are written `=2C` and `=3D` (RFC 5802 §5.1).
enum ScramName {
    static func encode(_ name: [UInt8]) -> [UInt8] {
        name.flatMap { octet -> [UInt8] in
            switch octet {
            case 0x2C: Array("=2C".utf8)
            case 0x3D: Array("=3D".utf8)
            default: [octet]
            }
        }
    }

    /// Nil for any other use of `=` ("the server MUST fail the authentication", §5.1), and for what is no
    /// UTF-8.
    static func decode(_ value: ArraySlice<UInt8>) -> String? {
        guard !value.isEmpty, value.count <= 3 * ScramLimits.nameOctets else { return nil }
        var octets: [UInt8] = []
        var rest = value
        while let octet = rest.popFirst() {
            guard octet == 0x3D else {
                octets.append(octet)
                continue
            }
            switch Array(rest.prefix(2)) {
            case Array("2C".utf8): octets.append(0x2C)
            case Array("3D".utf8): octets.append(0x3D)
            default: return nil
            }
            rest = rest.dropFirst(2)
        }
        return octets.count <= ScramLimits.nameOctets ? String(validating: octets, as: UTF8.self) : nil
    }
}

/// The client's first message, read (RFC 5802 §7).
package struct ScramClientFirst: Sendable, Equatable {
    package let bindingFlag: ScramBindingFlag
    /// Who the client wants to act as, if it says so; as it came.
    package let authorizationName: String?
    /// As it came: the caller prepares it.
    package let name: String
    let nonce: [UInt8]
    /// Up to and with the second comma: what `c=` must repeat.
    let header: [UInt8]
    let bare: [UInt8]

    package init(parsing message: [UInt8]) throws(ScramError) {
        guard message.count <= ScramLimits.messageOctets,
            let flagEnd = message.firstIndex(of: 0x2C),
            let headerEnd = message[(flagEnd + 1)...].firstIndex(of: 0x2C)
        else { throw .malformed }
        bindingFlag = try Self.flag(message[..<flagEnd])
        authorizationName = try Self.authorization(message[(flagEnd + 1)..<headerEnd])
        header = Array(message[...headerEnd])
        bare = Array(message[(headerEnd + 1)...])
        // §5.1: `m=` stands first if at all, and nobody has defined one yet.
        if bare.starts(with: Array("m=".utf8)) { throw .extensionRequired }
        guard let attributes = ScramAttribute.all(in: bare[...]), attributes.count >= 2,
            attributes[0].letter == 0x6E, attributes[1].isNonce
        else { throw .malformed }
        guard let name = ScramName.decode(attributes[0].value) else { throw .badName }
        self.name = name
        nonce = Array(attributes[1].value)
    }

    private static func flag(_ text: ArraySlice<UInt8>) throws(ScramError) -> ScramBindingFlag {
        switch text.first {
        case 0x6E where text.count == 1: return .unsupported
        case 0x79 where text.count == 1: return .notOffered
        case 0x70:
            let type = text.dropFirst(2)
            let isName = type.allSatisfy {
                (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D
            }
            guard text.dropFirst().first == 0x3D, (1...64).contains(type.count), isName else {
                throw .malformed
            }
            return .used(type: String(decoding: type, as: UTF8.self))
        default: throw .malformed
        }
    }

    private static func authorization(_ text: ArraySlice<UInt8>) throws(ScramError) -> String? {
        guard !text.isEmpty else { return nil }
        guard text.starts(with: Array("a=".utf8)) else { throw .malformed }
        guard let name = ScramName.decode(text.dropFirst(2)) else { throw .badName }
        return name
    }
}

/// The client's last message, read (RFC 5802 §7).
struct ScramClientFinal {
    let channelBinding: [UInt8]
    let nonce: [UInt8]
    let proof: [UInt8]
    let withoutProof: ArraySlice<UInt8>

    init(parsing message: [UInt8]) throws(ScramError) {
        guard message.count <= ScramLimits.messageOctets, let proofComma = message.lastIndex(of: 0x2C),
            let attributes = ScramAttribute.all(in: message[...]), attributes.count >= 3,
            let last = attributes.last,
            attributes[0].letter == 0x63, attributes[1].isNonce, last.letter == 0x70,
            let binding = Base64.decode(attributes[0].value, limit: ScramLimits.messageOctets),
            let proof = Base64.decode(last.value, limit: SHA256.sizeOctets), proof.count == SHA256.sizeOctets
        else { throw .malformed }
        if attributes.contains(where: { $0.letter == 0x6D }) { throw .extensionRequired }
        channelBinding = binding
        nonce = Array(attributes[1].value)
        self.proof = proof
        withoutProof = message[..<proofComma]
    }
}

/// The server's first message, read (RFC 5802 §7).
struct ScramServerFirst {
    let nonce: [UInt8]
    let salt: [UInt8]
    let iterations: Int

    init(parsing message: [UInt8]) throws(ScramError) {
        guard message.count <= ScramLimits.messageOctets else { throw .malformed }
        if message.starts(with: Array("m=".utf8)) { throw .extensionRequired }
        guard let attributes = ScramAttribute.all(in: message[...]), attributes.count >= 3,
            attributes[0].isNonce,
            attributes[1].letter == 0x73, attributes[2].letter == 0x69,
            let salt = Base64.decode(attributes[1].value, limit: 1_024), !salt.isEmpty,
            attributes[2].value.count <= 10, attributes[2].value.first != 0x30,
            attributes[2].value.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw .malformed }
        nonce = Array(attributes[0].value)
        self.salt = salt
        iterations = attributes[2].value.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
