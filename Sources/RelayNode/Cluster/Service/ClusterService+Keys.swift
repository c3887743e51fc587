import GossipTransport
import MailValues
import Membership

extension ClusterService {
    /// The ports under a key, and those under the one after it, in turn: a firewall needs to know no others.
    func ports(of pair: LinkKeyPair, _ own: LinkContact?) -> BoundPorts {
        guard settings.port > 0 else { return BoundPorts(control: 0, bulk: 0) }
        let second = BoundPorts(control: settings.port + 3, bulk: settings.port + 4)
        return own?.controlPort == second.control && !isOwnNext(pair)
            ? second : BoundPorts(control: settings.port, bulk: settings.port + 1)
    }

    /// Whether our newest introduction speaks of another key than this one.
    private func isOwnNext(_ pair: LinkKeyPair) -> Bool {
        guard let next = try? keys.next() else { return false }
        return next.key != pair.key
    }

    /// Listens under the next key too, on the other ports.
    func listen(under next: LinkKeyPair, by driver: ClusterDriver) async {
        let current = driver.transport.ports
        var ports = BoundPorts(control: 0, bulk: 0)
        if settings.port > 0 {
            let isFirst = current.control == settings.port
            ports =
                isFirst
                ? BoundPorts(control: settings.port + 3, bulk: settings.port + 4)
                : BoundPorts(control: settings.port, bulk: settings.port + 1)
        }
        do throws(TransportError) {
            let bound = try await driver.transport.rotate(to: next, ports: ports)
            rotated = bound
        } catch {
            record("link-key", fields: [("failed", "\(error)")])
        }
    }

    /// Begins to change the key of our links; they stand all the while.
    func rotate() async throws -> UInt64 {
        guard let member, let own = member.directory.introduction(of: member.me), let contact = own.contact
        else { throw NodeError("this node is in no cluster") }
        guard !member.isRotating else {
            throw NodeError("the last change of keys is not confirmed by all members yet")
        }
        let next = try LinkKeyPair.generate()
        try keys.begin(next)
        await listen(under: next, by: member.driver)
        guard let bound = rotated else { throw NodeError("the ports for the next key could not be had") }
        let link = LinkCertificate(
            linkKey: next.key.octets, serial: own.link.serial + 1, by: member.identity,
            in: member.book.cluster)
        let introduction = Introduction(
            link: link,
            contact: LinkContact(
                address: contact.address, controlPort: bound.control, bulkPort: bound.bulk))
        if let failure = await store.introduce(introduction) {
            throw NodeError("the new key could not be stored: \(failure.words)")
        }
        _ = self.member?.directory.take(introduction)
        self.member?.isRotating = true
        publish()
        introduce()
        record("link-key", fields: [("serial", "\(link.serial)")])
        await giveUpOldKeys()
        return link.serial
    }

    /// Members that have not confirmed a member's newest key.
    func unconfirmed(_ node: NodeID) -> [NodeID] {
        guard let member, let newest = member.directory.introduction(of: node)?.link.serial else { return [] }
        return member.book.members.filter { other in
            guard other != node else { return false }
            if other == member.me { return false }  // we have it: that is how we know of it
            return (member.confirmed[other]?[node] ?? 0) < newest
        }
    }

    /// A key before the newest goes once all have the newest.
    func giveUpOldKeys() async {
        guard let member else { return }
        var isChanged = false
        for node in member.book.members where unconfirmed(node).isEmpty {
            guard member.directory.keys.accepted(of: node).count > 1 else { continue }
            self.member?.directory.confirmed(node)
            isChanged = true
        }
        if isChanged { publish() }
        guard member.isRotating, unconfirmed(member.me).isEmpty else { return }
        do throws(KeyStoreError) { try keys.finish() } catch {
            return record("link-key", fields: [("failed", "\(error)")])
        }
        self.member?.isRotating = false
        await member.driver.transport.retire()
        record("link-key", fields: [("confirmed", "by all")])
    }
}
