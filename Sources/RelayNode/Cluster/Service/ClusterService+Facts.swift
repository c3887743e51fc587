import AdminProtocol
import Convergence
import Filtering
import GossipTransport
import MailValues
import Membership
import QueueEngine

extension ClusterService {
    /// Takes what changed among the facts: who is in, how they are reached, what was ordered. The rest is the house's.
    func learn(_ changes: [FactChange]) async {
        seams.facts(changes)
        for change in changes {
            guard case .said(let origin, let record, _) = change, let value = record.value,
                origin != member?.me
            else { continue }
            switch record.key.kind {
            case AdmissionFact.description.kind:
                if let fact = AdmissionFact(octets: value) { await take(fact.admission, from: origin) }
            case MemberFact.description.kind:
                if let fact = MemberFact(octets: value), fact.introduction.node == origin {
                    await introduced(fact)
                }
            default: break
            }
        }
        let now = WallClock.now()
        guard let (taken, refused) = member?.orders.apply(changes, now: now) else { return }
        refusals.orders += UInt64(refused.count)
        for node in refused { recordSparingly("order-refused", of: node) }
        for order in taken { await keep(order, isOurs: false, now: now) }
    }

    /// Takes what no fact brought: it was hidden from us, or its origin is gone.
    func learn(_ words: [Word], from bearer: NodeID) async {
        for word in words {
            switch word {
            case .admission(let admission): await take(admission, from: bearer)
            case .order(let order):
                let now = WallClock.now()
                guard case .taken? = member?.orders.take(order, now: now) else { continue }
                await keep(order, isOurs: false, now: now)
            }
        }
    }

    // MARK: Members

    /// An admission proves itself, whoever brought it.
    private func take(_ admission: Admission, from origin: NodeID) async {
        guard var book = member?.book else { return }
        switch book.take(admission) {
        case .known: return
        case .refused:
            refusals.admissions += 1
            return recordSparingly("admission-refused", of: origin)
        case .taken: break
        }
        // Kept in memory although the disk will not have it: it is said again after a restart.
        _ = await store.admit(admission)
        _ = member?.book.take(admission)
        member?.driver.keep(.admission(admission))
        await entered(admission)
    }

    /// A new member is linked to, and all see that we have stored it.
    func entered(_ admission: Admission) async {
        _ = member?.directory.take(admission.introduction)
        record("admitted", node: admission.node)
        if admission.node != member?.me { member?.linked.expect(admission.node, now: WallClock.now()) }
        publish()
        introduce()
        sayLoad()
        await tellStanding(of: admission.node)
    }

    /// The first of a second is taken at once, and of what follows the last when it is over: each is written to the disk, and a
    /// member may say as many as it likes.
    private func introduced(_ fact: MemberFact) async {
        let node = fact.introduction.node
        guard member?.introduced.insert(node).inserted == true else {
            member?.introductions[node] = fact
            return
        }
        await take(fact)
    }

    /// Those that came since the last second.
    func takeIntroductions() async {
        let waiting = member?.introductions ?? [:]
        member?.introductions = [:]
        member?.introduced = []
        for fact in waiting.values where member?.book.isMember(fact.introduction.node) == true {
            await introduced(fact)
        }
    }

    private func take(_ fact: MemberFact) async {
        let node = fact.introduction.node
        member?.confirmed[node] = fact.confirmed
        if member?.directory.take(fact.introduction) == true {
            if let introduction = member?.directory.introduction(of: node) {
                _ = await store.introduce(introduction)
            }
            publish()
            introduce()
        }
        // The newest key is the only one, by the member's own word.
        if let newest = member?.directory.introduction(of: node)?.link.serial, fact.oldestSerial >= newest,
            member?.directory.keys.accepted(of: node).count ?? 0 > 1
        {
            member?.directory.confirmed(node)
            publish()
        }
        await giveUpOldKey()
    }

    /// A member that starts elsewhere than we know it says so by the link that it made, which showed its key. What it says as a
    /// fact comes only once it has heard us.
    func moved(_ node: NodeID, to contact: LinkContact) async {
        guard let known = member?.directory.introduction(of: node), known.contact != contact,
            // It asks each second; more would only wear out the disk.
            member?.introduced.insert(node).inserted == true
        else { return }
        let introduction = Introduction(link: known.link, contact: contact)
        guard member?.directory.take(introduction) == true else { return }
        _ = await store.introduce(introduction)
        recordSparingly("moved", of: node, fields: [("to", Self.place(contact))])
        publish()
    }

    static func place(_ contact: LinkContact) -> String {
        "\(SocketEndpoint(address: contact.address, port: contact.controlPort))"
    }

    // MARK: Orders

    /// An order that holds from now: kept, told, carried out. How many queued messages it concerns here.
    @discardableResult
    func keep(_ order: Order, isOurs: Bool, now: Timestamp) async -> Int {
        member?.driver.keep(.order(order))
        let failure = await store.order(order)
        if isOurs {
            say(order, now: now)
        } else {
            // An older one about the same subject that we said is not to be heard any more.
            member?.driver.withdraw(OrderFact.self, about: order.subject)
        }
        record(
            "order",
            fields: [
                ("kind", "\(order.subject.kind.rawValue)"), ("number", "\(order.number)"), ("by", order.by),
                ("reason", order.reason), ("lifted", "\(order.isLifted)"),
                ("stored", failure.map { $0.words } ?? "yes"),
            ])
        return await carryOut(order)
    }

    private func carryOut(_ order: Order) async -> Int {
        guard let me = member?.me else { return 0 }
        let node = NodeID(octets: order.subject.octets)
        switch order.subject.kind {
        case .eviction:
            guard let node else { return 0 }
            // By its last word; asked before it is nobody's any more.
            let row = await list().members.first { $0.node == node.hex }
            await evict(node, number: order.number)
            return row?.load?.queuedMessages ?? 0
        case .drain:
            if node == me, isOfThisMembership(order) { seams.drain(!order.isLifted, order) }
        case .leave:
            if node == me, isOfThisMembership(order) { obeyLeave(order) }
        case .revocation:
            let count = seams.orders([order])
            note(order)
            applyRevocations()
            return count
        default: return seams.orders([order])
        }
        return 0
    }

    /// Who was told to leave and was let in again by a newer word is not to leave again.
    private func isOfThisMembership(_ order: Order) -> Bool {
        guard let member else { return false }
        return order.number > member.book.admission(of: member.me)?.number ?? 0
    }

    /// What was ordered before this start holds from the start.
    func obeyStored(now: Timestamp) {
        guard let member else { return }
        let orders = member.orders.all(now: now)
        obeyAgain()
        for order in orders {
            let isMine = NodeID(octets: order.subject.octets) == member.me
            if order.subject.kind == .revocation { note(order) }
            guard isMine, !order.isLifted, isOfThisMembership(order) else { continue }
            if order.subject.kind == .drain { seams.drain(true, order) }
            if order.subject.kind == .leave { obeyLeave(order) }
        }
        applyRevocations()
    }

    /// What holds about mail holds, also where the clock was ahead for a while and had ended it.
    func obeyAgain() {
        let orders = member?.orders.all(now: WallClock.now()) ?? []
        _ = seams.orders(orders.filter { ![.eviction, .drain, .leave].contains($0.subject.kind) })
    }

    private func obeyLeave(_ order: Order) {
        member?.leaveOrder = order.isLifted ? nil : order
        if order.isLifted { seams.leave(false, order) } else { beginLeaving() }
    }

    /// Obeys an order to leave as soon as somebody is there to take the queue: not before, since a node that starts sees
    /// nobody yet, and would close its doors for nothing.
    func beginLeaving() {
        guard let member, let order = member.leaveOrder, member.told.values.contains(.alive) else { return }
        self.member?.leaveOrder = nil
        seams.leave(true, order)
    }

    private func evict(_ node: NodeID, number: UInt64) async {
        guard member?.book.evict(node, number: number) == true else { return }
        _ = await store.evict(node, number: number)
        record("evicted", node: node)
        member?.directory.forget(node)
        member?.confirmed[node] = nil
        member?.linked.forget(node)
        member?.withoutBulk.remove(node)
        if node == member?.me {
            become(.ended(.evicted))
            member?.driver.stop()
            return
        }
        publish()
        sayLoad()
        member?.told[node] = .evicted
        seams.standing(node, .evicted)
        await takeFreedKeys()
        await giveUpOldKey()
    }

    /// A link key belongs to whoever was heard to claim it first: what an evicted member claimed may be another's, who was not
    /// believed until now.
    private func takeFreedKeys() async {
        for said in await member?.driver.all(MemberFact.self) ?? []
        where said.value.introduction.node == said.origin && said.origin != member?.me {
            await introduced(said.value)
        }
    }

    // MARK: Revoked origins

    private func note(_ order: Order) {
        guard let revocation = Revocation(subject: order.subject.octets, order.payload),
            case .origin(let node) = revocation.subject
        else { return }
        guard !order.isLifted else {
            member?.revocations[node] = nil
            return
        }
        let covered = revocation.covered[node]
        member?.revocations[node] = (order, covered?.counter ?? 0, covered?.incarnation ?? 0)
    }

    /// While the order holds nothing that the origin judges counts, and afterwards nothing that it covered.
    func applyRevocations() {
        guard let member else { return }
        let now = WallClock.now()
        let revoked = member.revocations.mapValues { entry -> Version in
            let isOver = entry.order.expires.map { $0 <= now } ?? false
            return isOver
                ? Version(incarnation: entry.incarnation, counter: entry.covered)
                : Version(incarnation: .max, counter: .max)
        }
        guard revoked != member.revoked else { return }
        self.member?.revoked = revoked
        member.driver.setRevoked(revoked)
    }
}
