import DNSRecords
import MailValues
import QueueEngine
import Reputation
import RoutingPolicy
import SMTPProtocol
import Telemetry

/// The house behind one session: answers the machine's questions and carries its message to the store.
///
/// Used on the session's lane alone; completions of the store come back on that lane.
final class IntakeSession: MailReceiver, @unchecked Sendable {
    // @unchecked: see above; the lane is the isolation.
    let flow: IntakeFlow
    /// As of the last MAIL: a session may stand for hours, and what was taken from its client must not be his for as long.
    private(set) var policy: IntakePolicy {
        didSet { terms = policy.listeners[listener] }
    }
    let listener: ListenerName
    /// What the policy says of the listener; several questions a message are asked of it.
    private(set) var terms: IntakePolicy.Listener?
    private(set) var kind: ClientStanding.ListenerKind
    var facts: ConnectionFacts
    var clientName: String?
    var helloName: String?
    /// EHLO, not HELO (RFC 3848).
    var isExtended = false
    var account: String?
    var authentication = AuthenticationSession()
    var transaction: Transaction?
    /// The message whose envelope the store is writing.
    var committing: QueueID?
    var gateMemory = GateMemory()
    /// The last right, as events call it.
    var rightMemory: (right: Right, text: String)?
    /// For events; a session's client stays who it is.
    private(set) lazy var clientText = facts.client.description
    private var isAdmitted = false
    private let isTrusted: Bool

    init(facts: ConnectionFacts, listener: ListenerName, flow: IntakeFlow, policy: IntakePolicy) {
        self.facts = facts
        self.listener = listener
        self.flow = flow
        self.policy = policy
        terms = policy.listeners[listener]
        kind = terms?.kind ?? .mx
        clientName = facts.clientName
        isTrusted = policy.relay.right(of: ClientStanding(address: facts.client, listener: .mx)) != nil
    }

    /// What the session has proved about its client.
    var standing: ClientStanding {
        ClientStanding(
            address: facts.client, listener: kind, account: account,
            certificateFingerprint: facts.tls?.peerFingerprint,
            certificateNames: facts.tls?.verifiedPeerNames ?? [])
    }

    func ask(_ question: Question, ticket: Ticket, asker: any AnswerTaker) -> Answer? {
        switch question {
        case .connection: return connection(ticket, asker)
        case .xclient: return xclient()
        case .hello(let name, let isExtended):
            helloName = name
            self.isExtended = isExtended
            return .accept
        case .authenticate(let step): return authenticate(step, ticket, asker)
        case .mail(let command): return mail(command, ticket, asker)
        case .recipient(let command): return recipient(command)
        case .endOfMessage(let facts): return endOfMessage(facts, ticket, asker)
        }
    }

    func tlsEstablished(_ established: TLSFacts) {
        facts.tls = established
        helloName = nil
        account = nil
    }

    func refused(_ reply: Reply, _ what: Refused) {
        switch what {
        case .connection:
            record(refusal: reply, sender: nil)
        case .mail(let sender):
            record(refusal: reply, sender: sender)
            count(reply, .mail)
        case .recipient:
            record(refusal: reply, sender: transaction?.mail.reversePath, to: transaction?.recipients ?? [])
            count(reply, .recipient)
        case .content:
            record(refusal: reply, sender: transaction?.mail.reversePath, to: transaction?.recipients ?? [])
            count(reply, .content)
        }
    }

    func sawNonsense(_ count: Int) { self.count(.junk, count) }

    func disconnected() {
        abortTransaction()
        tellGood()
        guard isAdmitted else { return }
        isAdmitted = false
        flow.census.leave(facts.client, isTrusted: isTrusted)
        flow.metrics.sessionsOpen.add(-1)
    }

    // MARK: Connection

    private func connection(_ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        guard !isAdmitted else { return .accept }  // asked again after XCLIENT
        flow.metrics.sessionsOpened.increment()
        if let refusal = refusalOfClient() {
            flow.metrics.sessionsRefused[.policy].increment()
            return .refuse(refusal)
        }
        switch flow.census.enter(facts.client, isTrusted: isTrusted, limits: policy.sessionLimits) {
        case .admitted:
            isAdmitted = true
            flow.metrics.sessionsOpen.add(1)
            if terms?.looksUpNames == true && clientName == nil {
                lookUpName(asker.lane)
            }
            return paced(.accept, ticket, asker)
        case .tooManyFromNetwork:
            return tooManySessions(.networkLimit)
        case .tooMany:
            return tooManySessions(.sessionLimit)
        }
    }

    private func tooManySessions(_ limit: NodeMetrics.SessionRefusal) -> Answer {
        flow.metrics.sessionsRefused[limit].increment()
        record(refusal: Self.tooManySessions, sender: nil)
        return .refuse(Self.tooManySessions)
    }

    private static let tooManySessions = Reply(
        421, EnhancedStatus(4, 7, 0), "Too many connections, try later")

    private func xclient() -> Answer {
        let peers = terms?.xclientPeers ?? NetworkSet()
        guard peers.contains(facts.proxy ?? facts.client) else {
            return .refuse(Reply(550, EnhancedStatus(5, 7, 0), "XCLIENT not permitted"))
        }
        return .accept
    }

    /// The name of the client, confirmed forward (RFC 8601 §2.7.3 `iprev`); nobody waits for it.
    private func lookUpName(_ lane: any Lane) {
        guard let resolver = flow.resolver else { return }
        let address = facts.client
        Task {
            guard let name = await confirmedName(of: address, resolver) else { return }
            lane.run { self.clientName = name }
        }
    }

    // MARK: Envelope

    private func mail(_ command: MailCommand, _ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        transaction = nil
        adoptChanges()
        if let reply = refusalOfLogin() ?? refusalSinceChange() {
            record(refusal: reply, sender: command.reversePath)
            return refuse(reply, stage: .mail)
        }
        if flow.bar.why != nil { return refuse(IntakeBar.reply, stage: .store) }
        if let refusal = flow.store.intakeRefusal { return refuse(refusal.reply, stage: .store) }
        if let reply = policy.relay.senderDecision(command.reversePath, client: standing) {
            record(refusal: reply, sender: command.reversePath)
            return refuse(reply, stage: .mail)
        }
        transaction = Transaction(command, standing: standing)
        return paced(.accept, ticket, asker)
    }

    private func adoptChanges() {
        let latest = flow.policy
        guard latest !== policy else { return }
        policy = latest
        kind = terms?.kind ?? kind
    }

    private func recipient(_ command: RecipientCommand) -> Answer {
        guard let sender = transaction?.mail.reversePath, let standing = transaction?.standing else {
            return .refuse(Reply(503, EnhancedStatus(5, 5, 1), "MAIL first"))
        }
        switch policy.relay.recipientDecision(command, sender: sender, client: standing) {
        case .accept(let right, let mailbox):
            transaction?.right = right
            transaction?.add(command, as: mailbox)
            return .accept
        case .acceptProvisionally(let right, let mailbox):
            transaction?.provisional = right
            transaction?.add(command, as: mailbox)
            return .accept
        case .refuse(let reply):
            count(refused: reply)
            record(refusal: reply, sender: sender, recipient: command)
            return refuse(reply, stage: .recipient)
        }
    }

    func refuse(_ reply: Reply, stage: NodeMetrics.RefusalStage) -> Answer {
        count(reply, stage)
        return .refuse(reply)
    }

    private func count(_ refusal: Reply, _ stage: NodeMetrics.RefusalStage) {
        if refusal.isTransient {
            flow.metrics.temporaryRefusals[stage].increment()
        } else {
            flow.metrics.refusals[stage].increment()
        }
    }

    /// A refusal as an event: who asked for what, and what he heard.
    func record(
        refusal: Reply, sender: ReversePath?, recipient: RecipientCommand? = nil,
        to recipients: [Recipient] = []
    ) {
        var event = Event(.rejection, at: flow.clock())
        event.add("session", .number(Int64(facts.session)))
        event.add("listener", listener)
        event.add("client", clientText)
        event.add("hello", helloName)
        event.add("account", account)
        event.add("from", sender?.description)
        if let recipient {
            event.add(
                "to", String(decoding: recipient.rawPath, as: UTF8.self).printable(limit: Self.addressOctets))
        } else if !recipients.isEmpty {
            event.add("to", .list(recipients.prefix(Self.recipientsShown).map(\.mailbox.description)))
        }
        event.add("reply", refusal.description)
        flow.events.write(event.encoded())
    }

    private static let addressOctets = 320
    /// Recipients named in the events of a message; at its acceptance their number is told as well.
    static let recipientsShown = 20
}

/// The first PTR name whose addresses include the one asked about.
private func confirmedName(of address: IPAddress, _ resolver: any DNSResolver) async -> String? {
    guard let names = try? await resolver.names(of: address).values else { return nil }
    for name in names.prefix(3) {
        let addresses =
            address.isV4
            ? try? await resolver.addressesV4(name).values : try? await resolver.addressesV6(name).values
        if addresses?.contains(address) == true { return name }
    }
    return nil
}
