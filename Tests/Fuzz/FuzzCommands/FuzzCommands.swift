import MailValues
import SMTPProtocol

/// Lines of an input as commands within a transaction and without: no reply is without meaning, no control
/// character gets in.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var session = ServerSession(settings: settings, facts: facts)
    var actions: [ServerAction] = []
    session.handle(.connected, now: now, into: &actions)
    let octets = UnsafeRawBufferPointer(start: data, count: count)
    for line in octets.split(separator: 0x0A, omittingEmptySubsequences: false) {
        var whole = Array(line.prefix { $0 != 0x0D })
        whole += [0x0D, 0x0A]
        answer(&session, &actions)
        whole.withUnsafeBytes { session.receive($0, now: now, into: &actions) }
    }
    answer(&session, &actions)
    return 0
}

private let now = Timestamp(seconds: 1_800_000_000)

private let settings: SessionSettings = {
    var options = SessionOptions(hostname: Domain("mx.example.org"))
    options.tls = .startTLS
    options.authenticationMechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
    options.allowsClearAuthentication = true
    options.xclientPeers = NetworkSet([Network("192.0.2.0/24")!])
    options.limits.errorCount = 1_000
    return SessionSettings(options)
}()

private let facts = ConnectionFacts(
    session: 1, client: IPAddress("192.0.2.7")!, clientPort: 4711, local: IPAddress("198.51.100.1")!,
    localPort: 25)

private func answer(_ session: inout ServerSession, _ actions: inout [ServerAction]) {
    while !actions.isEmpty {
        let batch = actions
        actions = []
        for action in batch {
            switch action {
            case .ask(let ticket, let question):
                check(question)
                let answer: Answer =
                    if case .authenticate(.begin) = question { .challenge([1, 2, 3]) } else { .accept }
                session.handle(.answered(ticket, answer), now: now, into: &actions)
            case .send(let reply): precondition((200...559).contains(reply.code), "a reply has a code")
            case .sendChallenge, .beginMessage, .content, .refused, .abortTransaction, .withdraw, .startTLS,
                .close:
                break
            }
        }
    }
}

private func check(_ question: Question) {
    switch question {
    case .hello(let name, _): clean(name)
    case .mail(let command):
        clean(command.reversePath.description)
        clean(command.dsnEnvelopeID ?? "")
        clean(command.authorization ?? "")
    case .recipient(let command):
        clean(command.mailbox.description)
        clean(command.originalRecipient ?? "")
    case .xclient(let facts): clean(facts.clientName ?? "")
    case .connection, .authenticate, .endOfMessage: break
    }
}

private func clean(_ text: String) {
    precondition(!text.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "no control character gets in")
}
