import MailValues
import QueueEngine
import Reputation
import SMTPProtocol
import Telemetry

extension IntakeSession {
    func authenticate(_ step: AuthenticationStep, _ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        let answer = flow.authenticator.step(
            step, session: &authentication, facts: facts, now: flow.clock(), lane: asker.lane
        ) { [self] answer in
            if let answer = admitted(answer, ticket, asker) { asker.answer(ticket, answer) }
        }
        return answer.flatMap { admitted($0, ticket, asker) }
    }

    /// The answer as the client hears it: who has shown who he is may be blocked all the same. Nil: later.
    private func admitted(_ answer: Answer, _ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        var answer = answer
        if case .authenticated(let name) = answer {
            if let refusal = refusal(ofAccount: name) { answer = .refuse(refusal) }
        } else if answer == AuthenticationReplies.wrong {
            count(.failedLogin)
        }
        note(answer)
        if case .authenticated = answer { return paced(answer, ticket, asker) }
        return answer
    }

    /// At MAIL: an account that was taken away, or given another password, is no longer logged in. Nil: go on.
    func refusalOfLogin() -> Reply? {
        guard let account, !flow.authenticator.isGood(login: account, &authentication, facts: facts) else {
            return nil
        }
        return AuthenticationReplies.loginOver
    }

    /// Remembers who it is, counts, and tells.
    private func note(_ answer: Answer) {
        switch answer {
        case .authenticated(let name):
            account = name
            tell(.accepted, account: name, nil)
        case .refuse(let reply):
            tell(reply.isTransient ? .busy : .refused, account: authentication.claim, reply)
        case .accept, .reply, .challenge:
            break
        }
    }

    /// - Parameter account: as the client calls itself, unless it has shown that it is.
    private func tell(_ outcome: NodeMetrics.AuthenticationOutcome, account: String?, _ reply: Reply?) {
        flow.metrics.authentications[outcome].increment()
        var event = Event(.authentication, at: flow.clock())
        event.add("session", .number(Int64(facts.session)))
        event.add("client", clientText)
        event.add("outcome", outcome.rawValue)
        event.add("account", account)
        event.add("reply", reply?.description)
        flow.events.write(event.encoded())
    }
}
