package import Cryptography
package import MailValues

/// Why a node was not let in. Each is a clear word to who holds the token, and teaches nothing of the cluster.
package enum JoinRefusal: UInt32, Sendable, CaseIterable, Error {
    /// Not a request, or not the operator's token, or bent on the way.
    case wrong = 1
    /// Of another cluster.
    case foreign = 2
    case expired = 3
    /// It has brought a node in already.
    case used = 4
    /// For another member's door.
    case otherDoor = 5
    /// Another member has this name.
    case nameTaken = 6
    /// The cluster has as many members as it can.
    case full = 7
    /// The node was evicted by a later word of the operator than this one.
    case outdated = 8

    package var sentence: String {
        switch self {
        case .wrong: "the token is not valid here: ask for a new one with `chappe join-cmd`"
        case .foreign: "the token is for another cluster"
        case .expired: "the token has expired: ask for a new one with `chappe join-cmd`"
        case .used: "the token was used already: each brings in one node"
        case .otherDoor: "the token is for another member: use the address that was printed with it"
        case .nameTaken: "a member has this name already: choose another with --name"
        case .full: "the cluster takes no more members"
        case .outdated:
            "the token is older than the order that evicted this node: ask for a new one with `chappe join-cmd`"
        }
    }
}

/// A member's side of the door: reads what a stranger says, and answers once.
package struct Doorkeeper: Sendable {
    package enum Action: Sendable, Equatable {
        /// A new member: to be stored and said to all, before the answer leaves.
        case admit(Admission)
        case answer([UInt8])
        /// For the log and the counters.
        case refused(JoinRefusal)
    }

    private let identity: Ed25519PrivateKey

    package init(identity: Ed25519PrivateKey) { self.identity = identity }

    /// `linkKey` is the key under which the stranger came; a request for another key is a stolen one.
    /// `introductions` are those of the members now, `evictions` the operator's orders.
    package func handle(
        _ request: [UInt8], from linkKey: [UInt8], book: inout AdmissionBook, introductions: [Introduction],
        evictions: [Order] = [], now: Timestamp
    ) -> [Action] {
        do throws(JoinRefusal) {
            let admission = try judge(request, linkKey, book, now)
            guard let admission else { return [.answer(welcome(book, introductions, evictions))] }
            guard book.take(admission) == .taken else { throw .wrong }
            return [.admit(admission), .answer(welcome(book, introductions, evictions))]
        } catch {
            return [.refused(error), .answer(JoinAnswer.refused(error).octets)]
        }
    }

    /// The admission, countersigned; nil where the node is in already and only its answer was lost.
    private func judge(
        _ request: [UInt8], _ linkKey: [UInt8], _ book: AdmissionBook, _ now: Timestamp
    ) throws(JoinRefusal) -> Admission? {
        guard var admission = Admission(decoding: request) else { throw .wrong }
        guard admission.permit.cluster == book.cluster else { throw .foreign }
        // Before anything is said about the token: is it the operator's, and its holder's word?
        guard admission.isAsked(of: book.operatorKey, in: book.cluster), admission.link.linkKey == linkKey
        else {
            throw .wrong
        }
        guard admission.permit.doorkeeper == identity.node else { throw .otherDoor }
        if let user = book.user(of: admission.number) {
            guard user == admission.node, book.isMember(user) else { throw .used }
            return nil
        }
        guard now < admission.permit.expires else { throw .expired }
        // A number below an eviction's would be void at once.
        guard admission.number > book.eviction(of: admission.node) ?? 0 else { throw .outdated }
        // A member that left is let in again by a newer word of the operator.
        if let held = book.admission(of: admission.node), held.number >= admission.number { throw .used }
        if let namesake = book.member(named: admission.name.lowercased()), namesake != admission.node {
            throw .nameTaken
        }
        guard book.members.count < AdmissionBook.countLongest else { throw .full }
        admission.countersign(identity)
        return admission
    }

    private func welcome(
        _ book: AdmissionBook, _ introductions: [Introduction], _ evictions: [Order]
    ) -> [UInt8] {
        JoinAnswer.welcome(
            admissions: book.all, evictions: book.allEvictions.map { ($0.node, $0.number) },
            introductions: introductions, orders: evictions
        ).octets
    }
}

/// What is heard at the door.
package enum JoinAnswer: Sendable {
    case welcome(
        admissions: [Admission], evictions: [(node: NodeID, number: UInt64)], introductions: [Introduction],
        orders: [Order])
    case refused(JoinRefusal)
}

/// The new node's side: what it says, and whether it believes the answer.
package struct JoinAttempt: Sendable {
    package let token: Token
    package let admission: Admission

    /// Nil if this node belongs to a cluster already, and the token is for another one: it refuses to join.
    package init?(
        _ token: Token, name: String, linkKey: [UInt8], contact: LinkContact? = nil,
        identity: Ed25519PrivateKey, memberOf cluster: ClusterID?
    ) {
        guard cluster == nil || cluster == token.permit.cluster, Admission.isName(name),
            linkKey.count == LinkCertificate.keyOctets
        else { return nil }
        self.token = token
        let link = LinkCertificate(linkKey: linkKey, serial: 1, by: identity, in: token.permit.cluster)
        admission = Admission(token, name: name, link: link, contact: contact, identity: identity)
    }

    package var request: [UInt8] { admission.octets }

    /// What a new node believes of its welcome.
    package struct Welcome: Sendable {
        /// The members, this node among them.
        package var book: AdmissionBook
        package var introductions: [Introduction]
        /// By which members were evicted.
        package var orders: [Order]

        package init(book: AdmissionBook, introductions: [Introduction] = [], orders: [Order] = []) {
            self.book = book
            self.introductions = introductions
            self.orders = orders
        }
    }

    /// Each word checked against the operator's key that came with the token. What the doorkeeper leaves out the others bring,
    /// as soon as one of them is linked (`WordExchange`).
    package func welcome(from answer: [UInt8], now: Timestamp) throws(JoinRefusal) -> Welcome {
        guard let answer = JoinAnswer(decoding: answer) else { throw .wrong }
        switch answer {
        case .refused(let refusal): throw refusal
        // That somebody was evicted is the operator's word alone: who believed the doorkeeper's could be kept from
        // all honest members for ever.
        case .welcome(let admissions, _, let introductions, let orders):
            let (cluster, operatorKey) = (token.permit.cluster, token.permit.operatorKey)
            var words = WordBook(
                orders: OrderBook(cluster: cluster, operatorKey: operatorKey),
                admissions: AdmissionBook(cluster: cluster, operatorKey: operatorKey))
            for admission in admissions { _ = words.take(.admission(admission), now: now) }
            for order in orders where order.subject.kind == .eviction {
                _ = words.take(.order(order), now: now)
            }
            let book = words.admissions
            guard book.isMember(admission.node), book.isMember(token.permit.doorkeeper) else { throw .wrong }
            return Welcome(book: book, introductions: introductions, orders: words.orders.all(now: now))
        }
    }
}
