package import MailValues

/// Where a member's links are reached.
package struct LinkContact: Hashable, Sendable {
    package var address: IPAddress
    package var controlPort: UInt16
    package var bulkPort: UInt16

    package init(address: IPAddress, controlPort: UInt16, bulkPort: UInt16) {
        self.address = address
        self.controlPort = controlPort
        self.bulkPort = bulkPort
    }

    /// As it stands under a signature.
    var octets: [UInt8] {
        [controlPort, bulkPort].flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] } + address.octets
    }
}

/// A member's links as they are now: by which key it is known, and where it is reached.
///
/// The key is the member's own word. The place is not signed everywhere it is told, and need not be: who
/// connects there demands the key.
package struct Introduction: Hashable, Sendable {
    package var link: LinkCertificate
    package var contact: LinkContact?

    package var node: NodeID { link.node }

    package init(link: LinkCertificate, contact: LinkContact?) {
        self.link = link
        self.contact = contact
    }
}

/// Of each member the newest introduction, and whose link a key is.
package struct MemberDirectory: Sendable {
    package private(set) var keys: LinkKeyRing
    private var contacts: [NodeID: LinkContact] = [:]

    package init(cluster: ClusterID) { keys = LinkKeyRing(cluster: cluster) }

    /// False: nothing new, or not the member's word.
    package mutating func take(_ introduction: Introduction) -> Bool {
        let node = introduction.node
        let held = keys.newest(of: node)
        if introduction.link != held {
            guard keys.take(introduction.link) else { return false }
            contacts[node] = introduction.contact ?? contacts[node]
            return true
        }
        guard let contact = introduction.contact, contact != contacts[node] else { return false }
        contacts[node] = contact
        return true
    }

    package mutating func forget(_ node: NodeID) {
        keys.forget(node)
        contacts[node] = nil
    }

    /// The key before the newest is good no longer: everybody has the newest.
    package mutating func confirmed(_ node: NodeID) { keys.confirmed(node) }

    package func introduction(of node: NodeID) -> Introduction? {
        keys.newest(of: node).map { Introduction(link: $0, contact: contacts[node]) }
    }
}
