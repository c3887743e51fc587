import MailValues
import Reputation
import RoutingPolicy
import SMTPProtocol
import Telemetry

/// What the gate makes of one session.
struct GateMemory {
    /// The gate's edition when it was last asked; nil: never.
    var edition: UInt64?
    /// Answers of this session wait.
    var isSlow = false
    /// Messages taken and not counted yet: one count for several is cheaper by as much.
    var goodCount = 0

    static let goodBatch = 16
}

extension IntakeSession {
    /// What the listener lets the gate do.
    private var rule: GateRule { terms?.reputation ?? .off }

    private var gateIfAsked: (any IntakeGate)? { rule == .off ? nil : flow.gate }

    /// Before the greeting. Nil: go on.
    func refusalOfClient() -> Reply? {
        guard let gate = gateIfAsked else { return nil }
        gateMemory.edition = gate.edition
        let consequence = weigh(gate.opinion(of: facts.client), about: facts.client.description)
        gateMemory.isSlow = consequence == .slowDown
        return consequence == .refuse ? GateReplies.client(facts.client, policy) : nil
    }

    /// Once it is known who speaks. Nil: go on.
    func refusal(ofAccount name: String) -> Reply? {
        guard let gate = gateIfAsked else { return nil }
        let consequence = weigh(gate.opinion(ofAccount: name), about: "account \(name.printable(limit: 256))")
        if consequence == .slowDown { gateMemory.isSlow = true }
        return consequence == .refuse ? GateReplies.account(policy) : nil
    }

    /// At MAIL, if something has changed since the session was weighed. Nil: go on.
    ///
    /// A session may stand for hours; an order acts at its next message.
    func refusalSinceChange() -> Reply? {
        guard let gate = gateIfAsked, gateMemory.edition != gate.edition else { return nil }
        if let refusal = refusalOfClient() { return refusal.asAnswerToMail }
        return account.flatMap { refusal(ofAccount: $0)?.asAnswerToMail }
    }

    /// The answer, after a while if this session is a slow one.
    func paced(_ answer: Answer, _ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        guard gateMemory.isSlow else { return answer }
        let isWaiting = flow.slowing.later(on: asker.lane, policy.slowing) { [weak asker] in
            asker?.answer(ticket, answer)
        }
        return isWaiting ? nil : .refuse(GateReplies.later)
    }

    // MARK: Counting

    func count(_ kind: Counters.Kind, _ amount: Int = 1) {
        guard let gate = gateIfAsked else { return }
        gate.count(
            kind, amount,
            by: GateSender(
                client: facts.client, account: account, listener: listener, session: facts.session))
    }

    func countGood() {
        gateMemory.goodCount += 1
        if gateMemory.goodCount >= GateMemory.goodBatch { tellGood() }
    }

    func tellGood() {
        guard gateMemory.goodCount > 0 else { return }
        count(.good, gateMemory.goodCount)
        gateMemory.goodCount = 0
    }

    /// What a refused recipient says about who asked for it.
    func count(refused reply: Reply) {
        if reply == RelayPolicy.Replies.relayDenied { count(.refusedRelay) }
        if reply == RelayPolicy.Replies.noSuchRecipient { count(.unknownRecipient) }
    }

    // MARK: Weighing

    private func weigh(_ opinion: GateOpinion, about whom: String) -> Standing.Consequence {
        guard opinion.consequence != .none else { return .none }
        let consequence = rule.consequence(of: opinion)
        let deed: String
        switch consequence {
        case .none:
            flow.metrics.gateNoted[cause(opinion)].increment()
            deed = "noted"
        case .slowDown:
            flow.metrics.gateSlowed[cause(opinion)].increment()
            deed = "slowed"
        case .refuse:
            flow.metrics.gateRefused[cause(opinion)].increment()
            deed = "refused"
        }
        var event = Event(.gate, at: flow.clock())
        event.add("session", .number(Int64(facts.session)))
        event.add("listener", listener)
        event.add("client", facts.client.description)
        event.add("about", whom)
        event.add("deed", deed)
        event.add("cause", opinion.cause.rawValue)
        flow.events.write(event.encoded())
        return consequence
    }

    private func cause(_ opinion: GateOpinion) -> NodeMetrics.GateCause {
        switch opinion.cause {
        case .order: .order
        case .own: .own
        case .agreed: .agreed
        case .word: .word
        case .reputation: .reputation
        }
    }
}

/// What is said to those who are turned away: what it is, and whom to ask, and nothing of how we know.
enum GateReplies {
    /// 554 in place of the greeting (RFC 5321 §3.1).
    static func client(_ client: IPAddress, _ policy: IntakePolicy) -> Reply {
        Reply(554, EnhancedStatus(5, 7, 1), "Mail from \(client) is blocked here\(whomToAsk(policy))")
    }

    static func account(_ policy: IntakePolicy) -> Reply {
        Reply(535, EnhancedStatus(5, 7, 1), "This account is blocked\(whomToAsk(policy))")
    }

    static func content(_ policy: IntakePolicy) -> Reply {
        Reply(
            550, EnhancedStatus(5, 7, 1),
            "This message is known as unwanted and is not taken\(whomToAsk(policy))")
    }

    static let later = Reply(421, EnhancedStatus(4, 7, 0), "Too many slow sessions, try later")

    private static func whomToAsk(_ policy: IntakePolicy) -> String {
        policy.postmaster.map { "; ask \($0)" } ?? ""
    }
}

extension Reply {
    /// 535 answers AUTH alone (RFC 4954 §6), and 554 a greeting.
    fileprivate var asAnswerToMail: Reply {
        Reply(550, enhanced, text)
    }
}
