import MailValues
import SMTPProtocol
import Synchronization

@testable import Intake

/// One session, driven as the shell drives it: questions, content, and the answers that came at once or later.
///
/// Its lane runs nothing by itself: what the store completes waits until `work()`.
final class Guest: AnswerTaker, Lane, @unchecked Sendable {
    // @unchecked: a test uses it from one task.
    let session: any MailReceiver
    private var ticket: Ticket = 0
    private(set) var answers: [Ticket: Answer] = [:]
    private(set) var resumed = 0
    private let jobs = Mutex<[@Sendable () -> Void]>([])

    init(_ flow: IntakeFlow, from client: IPAddress, account: String?) {
        let facts = ConnectionFacts(
            session: 1, client: client, clientPort: 4321, local: IPAddress("192.0.2.25")!, localPort: 25)
        session = flow.receiver(for: facts, listener: "door")
        guard let account, let session = session as? IntakeSession else { return }
        session.account = account
        session.authentication.accounts = flow.authenticator.accounts
    }

    var lane: any Lane { self }
    func run(_ job: @escaping @Sendable () -> Void) { jobs.withLock { $0.append(job) } }
    func answer(_ ticket: Ticket, _ answer: Answer) { answers[ticket] = answer }
    func resumeReading() { resumed += 1 }

    var waitingJobs: Int { jobs.withLock { $0.count } }

    /// Runs what waits, and what that makes wait.
    func work() {
        while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { job() }
    }

    /// Works until the answer to the last question is there.
    func workUntilAnswered() async {
        while answers[ticket] == nil {  // ends: somebody has said that it will come
            work()
            if answers[ticket] == nil { await Task.yield() }
        }
    }

    /// The answer, whether it comes at once or after some work.
    @discardableResult
    func ask(_ question: Question) -> Answer? {
        ticket += 1
        if let answer = session.ask(question, ticket: ticket, asker: self) { return answer }
        work()
        return answers[ticket]
    }

    /// The answer that comes at once, if one does.
    func askOnly(_ question: Question) -> Answer? {
        ticket += 1
        return session.ask(question, ticket: ticket, asker: self)
    }

    /// The answer to the last question is overdue.
    func withdraw() {
        session.withdraw(ticket, asker: self)
        work()
    }

    var lastAnswer: Answer? { answers[ticket] }

    // MARK: Whole steps

    @discardableResult
    func mail(_ sender: String = "sender@example.test", utf8: Bool = false) -> Answer? {
        ask(.mail(MailCommand(reversePath: .mailbox(Self.mailbox(sender)), smtpUTF8: utf8)))
    }

    @discardableResult
    func recipient(_ address: String = "someone@example.net") -> Answer? {
        ask(.recipient(RecipientCommand(mailbox: Self.mailbox(address), rawPath: Array(address.utf8))))
    }

    func hello() {
        ask(.connection)
        ask(.hello("client.example.test", isExtended: true))
    }

    /// A whole transaction; the answer at its end.
    @discardableResult
    func send(
        _ content: String, from sender: String = "sender@example.test",
        to recipients: [String] = ["someone@example.net"]
    ) -> Answer? {
        send([Array(content.utf8)], from: sender, to: recipients)
    }

    /// Stops where it is told no. Waits where it is told to, as the shell does.
    @discardableResult
    func send(
        _ pieces: [[UInt8]], from sender: String = "sender@example.test",
        to recipients: [String] = ["someone@example.net"]
    ) -> Answer? {
        if let no = mail(sender), no != .accept { return no }
        for address in recipients { if let no = recipient(address), no != .accept { return no } }
        session.beginMessage()
        var octets = 0
        for piece in pieces {
            octets += piece.count
            if !session.content(piece, asker: self) { work() }
        }
        return ask(.endOfMessage(MessageFacts(sizeOctets: octets)))
    }

    private static func mailbox(_ address: String) -> Mailbox {
        let parts = address.split(separator: "@", maxSplits: 1)
        return Mailbox(localPart: String(parts[0]), domain: Domain(parts.count > 1 ? parts[1] : ""))
    }
}

extension Answer {
    /// The code of a refusal.
    var refusalCode: UInt16? { if case .refuse(let reply) = self { reply.code } else { nil } }

    /// The text of a positive reply of the house's own.
    var text: String? { if case .reply(let reply) = self { reply.description } else { nil } }
}
