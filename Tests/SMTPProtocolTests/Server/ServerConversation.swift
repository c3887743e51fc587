import MailValues

@testable import SMTPProtocol

/// A server session with a small house behind it, and all that came of it.
struct ServerConversation {
    enum Answering { case atOnce, whenTold }

    var session: ServerSession
    var answering: Answering
    var now = Timestamp(seconds: 1_800_000_000)
    private(set) var sent: [UInt8] = []
    private(set) var messages: [Message] = []
    private(set) var aborted = 0
    private(set) var withdrawn: [Ticket] = []
    /// What it refused by itself, and how many transactions were lost before.
    private(set) var refused: [(what: Refused, code: UInt16, aborted: Int)] = []
    private(set) var isClosed = false
    private(set) var handshakes = 0
    private(set) var questions: [Question] = []
    private(set) var pieceCounts: [Int] = []
    private var waiting: (Ticket, Question)?
    private var current: [UInt8]?
    private var exchange = ""

    struct Message: Equatable {
        var content: [UInt8]
        var facts: MessageFacts
    }

    init(
        _ options: SessionOptions = .testing, facts: ConnectionFacts = .testing,
        answering: Answering = .atOnce,
        settings: SessionSettings? = nil
    ) {
        session = ServerSession(settings: settings ?? SessionSettings(options), facts: facts)
        self.answering = answering
        handle(.connected)
    }

    var sentText: String { String(decoding: sent, as: UTF8.self) }
    var sentCodes: [String] { sentText.split(separator: "\r\n").map { String($0.prefix(4)) } }

    mutating func takeSent() -> String {
        defer { sent = [] }
        return sentText
    }

    mutating func receive(_ text: String) { receive([UInt8](text.utf8)) }

    mutating func receive(_ octets: [UInt8]) {
        var actions: [ServerAction] = []
        octets.withUnsafeBytes { session.receive($0, now: now, into: &actions) }
        carryOut(actions)
    }

    mutating func handle(_ event: ServerEvent) {
        var actions: [ServerAction] = []
        session.handle(event, now: now, into: &actions)
        carryOut(actions)
    }

    /// Gives the answers that wait, and those that they lead to.
    mutating func answerAll() {
        while let (ticket, question) = waiting {
            waiting = nil
            handle(.answered(ticket, answer(to: question)))
        }
    }

    private mutating func carryOut(_ actions: [ServerAction]) {
        for action in actions {
            switch action {
            case .send(let reply): reply.append(to: &sent)
            case .sendChallenge(let octets): sent += Array("334 ".utf8) + octets + [0x0D, 0x0A]
            case .ask(let ticket, let question):
                questions.append(question)
                precondition(waiting == nil, "two questions at once")
                if answering == .whenTold {
                    waiting = (ticket, question)
                } else {
                    handle(.answered(ticket, answer(to: question)))
                }
            case .beginMessage:
                precondition(current == nil, "a message within a message")
                current = []
            case .content(let piece):
                precondition(current != nil, "content without a message")
                pieceCounts.append(piece.count)
                current! += piece
            case .abortTransaction:
                aborted += 1
                current = nil
            case .refused(let reply, let what): refused.append((what, reply.code, aborted))
            case .withdraw(let ticket): withdrawn.append(ticket)
            case .startTLS: handshakes += 1
            case .close: isClosed = true
            }
        }
    }

    /// The house: what it thinks stands in the local parts and in the message.
    private mutating func answer(to question: Question) -> Answer {
        switch question {
        case .connection, .hello, .xclient: return .accept
        case .mail(let command):
            return refusal(command.reversePath.mailbox?.localPart) ?? .accept
        case .recipient(let command):
            return refusal(command.mailbox.localPart) ?? .accept
        case .endOfMessage(let facts):
            let content = current ?? []
            precondition(facts.sizeOctets == content.count, "the size is that of the pieces")
            current = nil
            if String(decoding: content, as: UTF8.self).contains("REFUSE ME") {
                return .refuse(Reply(554, EnhancedStatus(5, 7, 1), "not this"))
            }
            messages.append(Message(content: content, facts: facts))
            return .reply(Reply(250, EnhancedStatus(2, 0, 0), "queued as \(messages.count)"))
        case .authenticate(let step): return authenticate(step)
        }
    }

    private func refusal(_ localPart: String?) -> Answer? {
        switch localPart {
        case "never": .refuse(Reply(550, EnhancedStatus(5, 1, 1), "nobody of that name"))
        case "later": .refuse(Reply(451, EnhancedStatus(4, 7, 1), "come back"))
        case "hangup": .refuse(Reply(421, EnhancedStatus(4, 3, 0), "enough"))
        default: nil
        }
    }

    /// PLAIN: any name with the password `pass`; LOGIN the same; a mechanism of challenges takes `one`, then
    /// `two`.
    private mutating func authenticate(_ step: AuthenticationStep) -> Answer {
        let failed = Answer.refuse(Reply(535, EnhancedStatus(5, 7, 8), "authentication failed"))
        switch step {
        case .begin(let mechanism, let response):
            exchange = mechanism
            if mechanism == "LOGIN" && response == nil { return .challenge(Array("User Name\0".utf8)) }
            guard let response else { return .challenge([]) }
            return next(response) ?? failed
        case .response(let octets): return next(octets) ?? failed
        case .cancelled: return .accept
        }
    }

    private mutating func next(_ response: [UInt8]) -> Answer? {
        let text = String(decoding: response, as: UTF8.self)
        switch exchange {
        case "PLAIN":
            let parts = text.split(separator: "\0", omittingEmptySubsequences: false)
            return parts.count == 3 && parts[2] == "pass" ? .authenticated(account: String(parts[1])) : nil
        case "LOGIN":
            exchange = "LOGIN \(text)"
            return .challenge(Array("Password\0".utf8))
        case _ where exchange.hasPrefix("LOGIN "):
            return text == "pass" ? .authenticated(account: String(exchange.dropFirst(6))) : nil
        case _ where exchange.hasPrefix("SCRAM"):
            if text == "one" { return .challenge(Array("1".utf8)) }
            if text == "two" { return .challenge(Array("2".utf8)) }
            return text.isEmpty ? .authenticated(account: "scram") : nil
        default: return nil
        }
    }
}

extension SessionOptions {
    static var testing: SessionOptions { SessionOptions(hostname: Domain("mx.example.org")) }
}

extension ConnectionFacts {
    static var testing: ConnectionFacts {
        ConnectionFacts(
            session: 1, client: IPAddress("192.0.2.7")!, clientPort: 4711, local: IPAddress("198.51.100.1")!,
            localPort: 25)
    }
}

extension TLSFacts {
    static var testing: TLSFacts {
        TLSFacts(
            version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", peerFingerprint: "ab",
            exporter: Array(repeating: 7, count: 32))
    }
}
