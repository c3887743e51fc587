import MailValues
import QueueEngine
import SMTPProtocol
import Telemetry

extension IntakeSession {
    func authenticate(_ step: AuthenticationStep, _ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        let answer = flow.authenticator.step(
            step, session: &authentication, facts: facts, now: flow.clock(), lane: asker.lane
        ) { [self] answer in
            note(answer)
            asker.answer(ticket, answer)
        }
        if let answer { note(answer) }
        return answer
    }

    /// Remembers who it is, and counts.
    private func note(_ answer: Answer) {
        switch answer {
        case .authenticated(let name):
            account = name
            flow.metrics.authentications[.accepted].increment()
        case .refuse(let reply):
            flow.metrics.authentications[reply.isTransient ? .busy : .refused].increment()
            var event = Event(.authentication, at: flow.clock())
            event.add("session", .number(Int64(facts.session)))
            event.add("client", facts.client.description)
            event.add("reply", reply.description)
            flow.events.write(event.encoded())
        case .accept, .reply, .challenge:
            break
        }
    }
}
