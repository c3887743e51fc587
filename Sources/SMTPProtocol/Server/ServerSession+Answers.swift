import MailValues

/// What follows from an answer of the house.
extension ServerSession {
    /// An answer, with those that make no sense for the question turned into "not now".
    private enum Decision {
        case yes(Reply?)
        case no(Reply)
    }

    mutating func settle(_ asked: Asked, _ answer: Answer, _ now: Timestamp, _ actions: inout [ServerAction])
    {
        switch asked {
        case .authentication: return settleAuthentication(answer, &actions)
        case .authenticationEnd(let reply):
            state = .commands
            return refuse(reply, &actions)
        case .connection, .xclient, .hello, .mail, .recipient, .endOfMessage: break
        }
        let decision = Self.decision(answer)
        // A refused question of the end of data leaves no transaction; the house knows that by itself.
        if case .endOfMessage = asked { transaction = nil }
        state = .commands
        switch decision {
        case .yes(let reply): accept(asked, reply, &actions)
        case .no(let reply): decline(asked, reply, &actions)
        }
    }

    private static func decision(_ answer: Answer) -> Decision {
        switch answer {
        case .accept: .yes(nil)
        case .reply(let reply): reply.isPositive ? .yes(reply) : .no(reply)
        case .refuse(let reply): .no(reply)
        case .challenge, .authenticated: .no(.houseFailed)
        }
    }

    private mutating func accept(_ asked: Asked, _ reply: Reply?, _ actions: inout [ServerAction]) {
        switch asked {
        case .connection:
            if isDraining { return end(.shuttingDown, &actions) }
            actions.append(.send(reply ?? settings.greeting))
        case .xclient(let facts):
            self.facts = facts
            greeted = .no
            account = nil
            actions.append(.send(reply ?? settings.greeting))
        case .hello(let isExtended):
            greeted = isExtended ? .ehlo : .helo
            // The lines of EHLO are ours to say, whatever the house would like to add.
            actions.append(
                .send(isExtended ? settings.ehlo(situation(mayXclient: mayXclient)) : settings.helo))
        case .mail(let opened):
            transaction = opened
            transactionCount += 1
            actions.append(.send(reply ?? .senderTaken))
        case .recipient:
            transaction?.recipientCount += 1
            actions.append(.send(reply ?? .recipientTaken))
        case .endOfMessage:
            errorCount = 0
            junkCount = 0
            actions.append(.send(reply ?? .messageTaken))
        case .authentication, .authenticationEnd: break
        }
    }

    private mutating func decline(_ asked: Asked, _ reply: Reply, _ actions: inout [ServerAction]) {
        switch asked {
        case .connection: end(reply, &actions)  // RFC 5321 §3.1 would let it talk on, to hear 503 each time
        case .xclient, .hello, .mail, .recipient, .endOfMessage, .authentication, .authenticationEnd:
            refuse(reply, &actions)
        }
    }
}
