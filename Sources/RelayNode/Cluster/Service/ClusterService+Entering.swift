package import AdminProtocol
import Cryptography
import GossipTransport
import MailValues
import Membership

extension ClusterService {
    /// How long a doorkeeper may take: it writes to its disk before it answers.
    private static let doorPatience: Duration = .seconds(20)

    // MARK: The first node

    package func found(_ request: FoundRequest, by caller: Caller) async throws(AdminProblem) {
        try beginEntering()
        defer { isEntering = false }
        guard let token = Token(request.token) else {
            throw AdminProblem(.badRequest, "the operator's word cannot be read")
        }
        guard let address = try Self.address(request.address) ?? settings.address else {
            throw AdminProblem(
                .badRequest, "by which address do other nodes reach this one?",
                advice: "chappe init --address A, or cluster.address in the configuration")
        }
        let (identity, pair) = try ownKeys()
        let name = (request.name ?? settings.name).lowercased()
        guard Admission.isName(name) else { throw Self.badName(name) }
        let cluster = token.permit.cluster
        let link = LinkCertificate(linkKey: pair.key.octets, serial: 1, by: identity, in: cluster)
        let admission = Admission.founding(
            token, name: name, link: link, contact: contact(address), identity: identity)
        var book = AdmissionBook(cluster: cluster, operatorKey: token.permit.operatorKey)
        guard book.take(admission) == .taken else {
            throw AdminProblem(.badRequest, "the operator's word is not for this node")
        }
        try await enter(JoinAttempt.Welcome(book: book), address: address, by: caller, as: "founded")
    }

    // MARK: A new node

    package func join(_ request: JoinRequestBody, by caller: Caller) async throws(AdminProblem) {
        try beginEntering()
        defer { isEntering = false }
        guard let token = Token(request.token) else {
            throw AdminProblem(
                .badRequest, "this is no token", advice: "copy the whole line that `chappe join-cmd` printed")
        }
        guard WallClock.now() < token.permit.expires else {
            throw AdminProblem(.refused, JoinRefusal.expired.sentence)
        }
        guard let host = IPAddress(request.host), let port = UInt16(exactly: request.port) else {
            throw AdminProblem(.badRequest, "\(request.host):\(request.port) is no address")
        }
        let address =
            try Self.address(request.address) ?? settings.address ?? InterfaceAddresses.own(towards: host)
        guard let address else {
            throw AdminProblem(
                .badRequest, "there is no way to \(host) from here",
                advice: "look at the routes, or say --address")
        }
        let (identity, pair) = try ownKeys()
        let name = (request.name ?? settings.name).lowercased()
        guard
            let attempt = JoinAttempt(
                token, name: name, linkKey: pair.key.octets, contact: contact(address), identity: identity,
                memberOf: nil)
        else { throw Self.badName(name) }
        guard let key = LinkKey(octets: token.linkKey) else {
            throw AdminProblem(.badRequest, "this is no token")
        }
        let answer: [UInt8]
        do throws(DoorCallError) {
            answer = try await DoorCall.ask(
                host, port: port, key: key, as: pair, attempt.request, timeout: Self.doorPatience)
        } catch { throw Self.unheard(error) }
        try await enter(try Self.heard(answer, attempt), address: address, by: caller, as: "joined")
    }

    private static func unheard(_ error: DoorCallError) -> AdminProblem {
        switch error {
        case .nobody:
            AdminProblem(
                .unavailable, "\(error)",
                advice:
                    "is it the address that `chappe join-cmd` printed, is that node up, no firewall between? "
                    + "A door shuts with its last token; another `chappe join-cmd` opens it again")
        case .otherKey:
            AdminProblem(
                .refused, "\(error)",
                advice:
                    "a token is for the address printed beside it, until that member changes its link key: "
                    + "copy the whole line, or ask for a new one with `chappe join-cmd`")
        case .noAnswer:
            AdminProblem(
                .unavailable, "\(error)",
                advice: "say the same line again; its events and `chappe doctor` there say why")
        case .failed: AdminProblem(.unavailable, "\(error)")
        }
    }

    private static func heard(
        _ answer: [UInt8], _ attempt: JoinAttempt
    ) throws(AdminProblem) -> JoinAttempt.Welcome {
        do throws(JoinRefusal) { return try attempt.welcome(from: answer, now: WallClock.now()) } catch {
            throw AdminProblem(.refused, "not let in: \(error.sentence)")
        }
    }

    private func beginEntering() throws(AdminProblem) {
        let isOut = member == nil || member?.condition == .ended(.evicted) || member?.condition == .left
        guard isOut, !isEntering else {
            throw AdminProblem(
                .refused, "this node is in a cluster already",
                advice: "`chappe members` shows it; `chappe leave` first")
        }
        guard !mustStartAnew else {
            throw AdminProblem(
                .refused, "what is queued here may have been delivered since, and would go out again",
                advice: "restart the node: it is held then, until you have looked at it")
        }
        isEntering = true
    }

    private func enter(
        _ welcome: JoinAttempt.Welcome, address: IPAddress, by caller: Caller, as action: String
    ) async throws(AdminProblem) {
        let failure = await store.found(
            welcome.book, introductions: welcome.introductions, orders: welcome.orders)
        if let failure {
            throw AdminProblem(.unavailable, "the members could not be stored: \(failure.words)")
        }
        do {
            guard let content = try store.load() else {
                throw AdminProblem(.internalError, "what was stored is not there")
            }
            try await begin(content, address: address)
        } catch let problem as AdminProblem {
            throw problem
        } catch { throw AdminProblem(.unavailable, "\(error)") }
        record(
            action, fields: [("by", caller.recordName), ("cluster", "\(welcome.book.cluster)")])
    }

    private func ownKeys() throws(AdminProblem) -> (Ed25519PrivateKey, LinkKeyPair) {
        do { return (try keys.identity(), try keys.link()) } catch {
            throw AdminProblem(.unavailable, "\(error)", advice: "look at the data directory")
        }
    }

    private func contact(_ address: IPAddress) -> LinkContact {
        LinkContact(address: address, controlPort: settings.port, bulkPort: settings.port + 1)
    }

    private static func badName(_ name: String) -> AdminProblem {
        AdminProblem(
            .badRequest, "\(name.prefix(80)) is no name of a node",
            advice: "letters, digits, dots and hyphens, at most \(Admission.nameOctetsLongest)")
    }

    private static func address(_ text: String?) throws(AdminProblem) -> IPAddress? {
        guard let text else { return nil }
        guard let address = IPAddress(text), address != .v4(0), address != .v6(high: 0, low: 0) else {
            throw AdminProblem(.badRequest, "\(text) is no address by which a node can be reached")
        }
        return address
    }

    // MARK: The door

    package func openDoor(
        _ request: DoorRequest, by caller: Caller
    ) async throws(AdminProblem) -> DoorAnswer {
        guard let member, let contact = member.directory.introduction(of: member.me)?.contact,
            member.condition == .speaking
        else {
            throw AdminProblem(
                .refused, "this node is in no cluster that could be joined", advice: "`chappe init` first")
        }
        record("door", fields: [("opened_by", caller.recordName), ("seconds", "\(request.seconds)")])
        // Another token may be underway: the door stays open for the longer of the two.
        let now = WallClock.now()
        let until = max(member.door?.until ?? now, now + .seconds(request.seconds))
        // † Behind a door under an earlier link key nobody would answer to a line that names the newest.
        if until > member.door?.until ?? now || member.door?.key != member.newestKey {
            do throws(TransportError) { try await openDoor(until: until, now: now) } catch {
                throw AdminProblem(.unavailable, "the door cannot be opened: \(error)")
            }
            if let failure = await store.door(until: until) {
                throw AdminProblem(.unavailable, "the promise could not be stored: \(failure.words)")
            }
        }
        return DoorAnswer(
            host: contact.address.description, port: Int(self.member?.door?.port ?? 0), until: Moment(until))
    }

    private func openDoor(until: Timestamp, now: Timestamp) async throws(TransportError) {
        guard let driver = member?.driver else { return }
        let wished = settings.port > 0 ? settings.port + 2 : 0
        let port = try await driver.transport.openDoor(port: wished, for: until - now)
        if let key = member?.newestKey { member?.door = (port, until, key) }
    }

    /// A join line that an earlier life printed is good until it said.
    func keepDoorPromise() async {
        let now = WallClock.now()
        guard let until = member?.doorPromised, until > now, member?.door == nil else { return }
        do throws(TransportError) { try await openDoor(until: until, now: now) } catch {
            record("door", fields: [("failed", "\(error)")])
        }
    }

    /// A stranger knocks. Who is let in is on disk before he hears so.
    func answer(_ request: JoinRequest) async {
        guard let member else { return }
        let introductions = member.book.members.compactMap { member.directory.introduction(of: $0) }
        let now = WallClock.now()
        let evictions = member.orders.all(now: now).filter { $0.subject.kind == .eviction }
        let outcome = await ClusterDoor(identity: member.identity, store: store).serve(
            request, book: member.book, introductions: introductions, evictions: evictions, now: now)
        if let failure = outcome.failure { record("door", fields: [("failed", failure.words)]) }
        if let refusal = outcome.refusal {
            refusals.tokens += 1
            record("door", fields: [("refused", refusal.sentence)])
        }
        if let admission = outcome.admitted {
            _ = self.member?.book.take(admission)
            member.driver.keep(.admission(admission))
            // Before the answer leaves: the new node links to us as soon as it has it.
            await entered(admission)
            member.driver.say(AdmissionFact(admission), about: admission.node)
        }
        if let answer = outcome.answer { member.driver.transport.answer(request.visitor, answer) }
    }
}
