import MailValues
import SMTPProtocol

/// A whole session, in one read and cut as the first octets say: both must be the same talk, with the same
/// messages, and every message must have clean ends of lines.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 2 else { return 0 }
    let octets = UnsafeRawBufferPointer(start: data + 2, count: count - 2)
    // STARTTLS is left out: there, and only there, it matters what has arrived together.
    let step = Int(data[0]) % 31 + 1
    var whole = Talk(answersLate: false)
    whole.receive(octets)
    var cut = Talk(answersLate: data[1] & 1 == 1)
    var start = 0
    while start < octets.count {
        let end = min(octets.count, start + step)
        cut.receive(UnsafeRawBufferPointer(rebasing: octets[start..<end]))
        start = end
    }
    cut.answerAll()
    precondition(whole.sent == cut.sent, "where octets are cut changes no reply")
    precondition(whole.messages == cut.messages, "where octets are cut changes no message")
    return 0
}

private let now = Timestamp(seconds: 1_800_000_000)

private let settings: SessionSettings = {
    var options = SessionOptions(hostname: Domain("mx.example.org"))
    options.authenticationMechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
    options.allowsClearAuthentication = true
    options.limits.messageOctets = 2_000
    options.limits.headerOctets = 700
    options.limits.textLineOctets = 300
    options.limits.contentPieceOctets = 256
    options.limits.errorCount = 10
    return SessionSettings(options)
}()

private struct Talk {
    var session = ServerSession(
        settings: settings,
        facts: ConnectionFacts(
            session: 1, client: IPAddress("192.0.2.7")!, clientPort: 4711, local: IPAddress("198.51.100.1")!,
            localPort: 25))
    var sent: [Reply] = []
    var messages: [[UInt8]] = []
    var current: [UInt8]?
    var waiting: (Ticket, Question)?
    let answersLate: Bool

    init(answersLate: Bool) {
        self.answersLate = answersLate
        tell(.connected)
        answerAll()
    }

    mutating func receive(_ octets: UnsafeRawBufferPointer) {
        var actions: [ServerAction] = []
        session.receive(octets, now: now, into: &actions)
        perform(actions)
    }

    mutating func tell(_ event: ServerEvent) {
        var actions: [ServerAction] = []
        session.handle(event, now: now, into: &actions)
        perform(actions)
    }

    mutating func answerAll() {
        while let (ticket, question) = waiting {
            waiting = nil
            tell(.answered(ticket, answer(question)))
        }
    }

    private mutating func perform(_ actions: [ServerAction]) {
        for action in actions {
            switch action {
            case .send(let reply): sent.append(reply)
            case .ask(let ticket, let question):
                precondition(waiting == nil, "one question at a time")
                waiting = (ticket, question)
                if !answersLate { answerAll() }
            case .beginMessage:
                precondition(current == nil, "one message at a time")
                current = []
            case .content(let piece):
                precondition(
                    !piece.isEmpty && piece.count <= settings.limits.contentPieceOctets,
                    "a piece has its size")
                current! += piece
            case .abortTransaction: current = nil
            case .refused, .withdraw, .sendChallenge, .startTLS, .close: break
            }
        }
    }

    private mutating func answer(_ question: Question) -> Answer {
        switch question {
        case .endOfMessage(let facts):
            let content = current!
            current = nil
            precondition(facts.sizeOctets == content.count, "the size is right")
            precondition(content.count <= settings.limits.messageOctets, "the limit is kept")
            precondition(facts.hasEightBit == content.contains { $0 >= 0x80 }, "eight bits are seen")
            for (index, octet) in content.enumerated() {
                precondition(octet != 0x0A || index > 0 && content[index - 1] == 0x0D, "no bare LF")
                precondition(
                    octet != 0x0D || index + 1 < content.count && content[index + 1] == 0x0A, "no bare CR")
            }
            precondition(content.isEmpty || content.last == 0x0A, "the last line has its end")
            messages.append(content)
            return .accept
        case .authenticate(.begin): return .challenge([1])
        case .authenticate(.response): return .authenticated(account: "user")
        case .connection, .hello, .xclient, .mail, .recipient, .authenticate: return .accept
        }
    }
}
