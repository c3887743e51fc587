import GossipTransport
import MailValues
import Membership
import QueueEngine

extension ClusterService {
    /// Keys listen in turn on the first two ports and on the last two: a firewall needs to know no others.
    private var firstPorts: BoundPorts { BoundPorts(control: settings.port, bulk: settings.port + 1) }
    private var secondPorts: BoundPorts { BoundPorts(control: settings.port + 3, bulk: settings.port + 4) }

    private func otherPorts(than control: UInt16) -> BoundPorts {
        control == firstPorts.control ? secondPorts : firstPorts
    }

    /// Where the key in use listens, by what we said of ourselves last: that may already be the next key's place.
    func ports(of pair: LinkKeyPair, _ own: Introduction?) -> BoundPorts {
        guard let own else { return firstPorts }
        let said = newestPorts(own)
        return own.link.linkKey == pair.key.octets ? said : otherPorts(than: said.control)
    }

    /// Where our newest key listens: where we said last, unless the configuration names others by now.
    func newestPorts(_ own: Introduction) -> BoundPorts {
        own.contact?.controlPort == secondPorts.control ? secondPorts : firstPorts
    }

    /// Listens under the next key too. Nil, and recorded, if it cannot.
    func listen(
        under next: LinkKeyPair, besides current: BoundPorts, by driver: ClusterDriver
    ) async -> BoundPorts? {
        do throws(TransportError) {
            return try await driver.transport.rotate(to: next, ports: otherPorts(than: current.control))
        } catch {
            record("link-key", fields: [("failed", "\(error)")])
            return nil
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
        let current = BoundPorts(control: contact.controlPort, bulk: contact.bulkPort)
        guard let bound = await listen(under: next, besides: current, by: member.driver) else {
            let other = otherPorts(than: current.control)
            throw NodeError("the ports \(other.control) and \(other.bulk) could not be had for the next key")
        }
        try keys.begin(next)
        let link = LinkCertificate(
            linkKey: next.key.octets, serial: own.link.serial + 1, by: member.identity,
            in: member.book.cluster)
        let introduction = Introduction(
            link: link,
            contact: LinkContact(
                address: contact.address, controlPort: bound.control, bulkPort: bound.bulk))
        if let failure = await store.introduce(introduction) {
            try keys.abandon()
            throw NodeError(
                "the new key could not be stored: \(failure.words); restart the node, then try again")
        }
        _ = self.member?.directory.take(introduction)
        self.member?.isRotating = true
        self.member?.newestKey = next.key
        publish()
        introduce()
        await giveUpOldKey()
        return link.serial
    }

    /// Members that have not confirmed a member's newest key. Who has left in order is not waited for: let in anew, it is
    /// told of the newest keys.
    func unconfirmed(_ node: NodeID) -> [NodeID] {
        guard let member, let newest = member.directory.introduction(of: node)?.link.serial else { return [] }
        return member.book.members.filter { other in
            guard other != node, member.told[other] != .left else { return false }
            if other == member.me { return false }  // we have it: that is how we know of it
            return (member.confirmed[other]?[node] ?? 0) < newest
        }
    }

    /// Our own key before the newest goes once all have the newest; then they hear that it is gone.
    func giveUpOldKey() async {
        guard let member, member.isRotating, !member.isRetiring, unconfirmed(member.me).isEmpty else {
            return
        }
        self.member?.isRetiring = true
        defer { self.member?.isRetiring = false }
        do throws(KeyStoreError) { try keys.finish() } catch {
            return record("link-key", fields: [("failed", "\(error)")])
        }
        // † Only then do others hear that the old key is gone: who still showed it would be turned away.
        await member.driver.transport.retire()
        self.member?.isRotating = false
        self.member?.directory.confirmed(member.me)
        publish()
        introduce()
        record("link-key", fields: [("confirmed", "by all")])
    }
}
