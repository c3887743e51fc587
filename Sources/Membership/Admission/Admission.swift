package import Cryptography
package import MailValues

/// That a node is a member, in a form that anybody can check: the operator permitted it, the token's holder named
/// it, the node itself agreed, and the doorkeeper saw that it was in time and the first.
package struct Admission: Hashable, Sendable {
    package var permit: Permit
    package var name: String
    package var link: LinkCertificate
    /// Where its links are reached from the start; nil: it reaches others, and tells them later.
    package var contact: LinkContact?
    package var tokenSignature: [UInt8]
    package var nodeSignature: [UInt8]
    package var doorkeeperSignature: [UInt8]

    package static let nameOctetsLongest = 64

    package var node: NodeID { link.node }
    package var number: UInt64 { permit.number }
    package var introduction: Introduction { Introduction(link: link, contact: contact) }

    /// What a new node asks for; the doorkeeper's signature is still missing.
    package init(
        _ token: Token, name: String, link: LinkCertificate, contact: LinkContact? = nil,
        identity: Ed25519PrivateKey
    ) {
        self.init(
            permit: token.permit, name: name, link: link, contact: contact, tokenSignature: [],
            nodeSignature: [],
            doorkeeperSignature: [])
        tokenSignature = token.key.sign(signedOctets(.admission))
        nodeSignature = identity.sign(signedOctets(.admission))
    }

    init(
        permit: Permit, name: String, link: LinkCertificate, contact: LinkContact?, tokenSignature: [UInt8],
        nodeSignature: [UInt8], doorkeeperSignature: [UInt8]
    ) {
        self.permit = permit
        self.name = name
        self.link = link
        self.contact = contact
        self.tokenSignature = tokenSignature
        self.nodeSignature = nodeSignature
        self.doorkeeperSignature = doorkeeperSignature
    }

    /// The first node of a cluster lets itself in, with a permit that names it as its own doorkeeper.
    package static func founding(
        _ token: Token, name: String, link: LinkCertificate, contact: LinkContact? = nil,
        identity: Ed25519PrivateKey
    ) -> Admission {
        var admission = Admission(token, name: name, link: link, contact: contact, identity: identity)
        admission.countersign(identity)
        return admission
    }

    mutating func countersign(_ doorkeeper: Ed25519PrivateKey) {
        doorkeeperSignature = doorkeeper.sign(signedOctets(.door))
    }

    /// Whether permit, token and node agree; whether it is in time is the doorkeeper's to say.
    func isAsked(of operatorKey: [UInt8], in cluster: ClusterID) -> Bool {
        permit.cluster == cluster && permit.isSigned(by: operatorKey) && Self.isName(name)
            && link.isSigned(in: cluster)
            && Ed25519.verify(tokenSignature, of: signedOctets(.admission), by: permit.tokenKey)
            && Ed25519.verify(nodeSignature, of: signedOctets(.admission), by: node)
    }

    /// Whether everybody must believe it.
    package func isValid(operatorKey: [UInt8], in cluster: ClusterID) -> Bool {
        isAsked(of: operatorKey, in: cluster)
            && Ed25519.verify(doorkeeperSignature, of: signedOctets(.door), by: permit.doorkeeper)
    }

    /// Letters, digits, dot and hyphen, as a host name has them: names stand in logs and commands.
    package static func isName(_ text: String) -> Bool {
        (1...nameOctetsLongest).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x2D || $0 == 0x2E
            } && text.utf8.first != 0x2D && text.utf8.first != 0x2E
    }

    private func signedOctets(_ purpose: SignedText.Purpose) -> [UInt8] {
        var text = SignedText(purpose)
        text.add(permit.signature)
        text.add(name.utf8)
        text.add(link.node.octets)
        text.add(link.linkKey)
        text.add(link.serial)
        text.add(contact?.octets ?? [])
        if purpose == .door {
            text.add(tokenSignature)
            text.add(nodeSignature)
        }
        return text.octets
    }
}
