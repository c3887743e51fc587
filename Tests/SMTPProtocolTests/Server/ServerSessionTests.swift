import MailValues
import Testing

@testable import SMTPProtocol

@Suite("Server session")
struct ServerSessionTests {
    private static let envelope = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n"

    // MARK: Who talks first

    @Test("a client that talks before the greeting is sent away")
    func earlyTalker() {
        var talk = ServerConversation(answering: .whenTold)
        talk.receive("EHLO spam.example\r\n")
        #expect(talk.sentText == "554 5.5.1 you talked before the greeting\r\n")
        #expect(talk.isClosed)
        talk.answerAll()
        #expect(talk.sentText == "554 5.5.1 you talked before the greeting\r\n")
    }

    @Test("where TLS comes first, or the policy allows it, what came early waits for the greeting")
    func earlyTalkerAllowed() {
        var options = SessionOptions.testing
        options.tls = .implicit
        var talk = ServerConversation(options, answering: .whenTold)
        #expect(talk.questions.isEmpty)
        talk.handle(.tlsEstablished(.testing))
        talk.receive("HELO client.example\r\n")
        talk.answerAll()
        #expect(talk.sentCodes == ["220 ", "250 "])

        options.tls = .none
        options.earlyTalkers = .allow
        talk = ServerConversation(options, answering: .whenTold)
        talk.receive("HELO client.example\r\n")
        talk.answerAll()
        #expect(talk.sentCodes == ["220 ", "250 "])
    }

    @Test("a client refused at the door hears why, and is gone")
    func refusedAtTheDoor() {
        var session = ServerSession(settings: SessionSettings(.testing), facts: .testing)
        var actions: [ServerAction] = []
        session.handle(.connected, now: Timestamp(seconds: 0), into: &actions)
        #expect(actions == [.ask(1, .connection)])
        actions = []
        let reply = Reply(554, EnhancedStatus(5, 7, 1), "not from there")
        session.handle(.answered(1, .refuse(reply)), now: Timestamp(seconds: 0), into: &actions)
        #expect(actions == [.send(reply), .close])
    }

    // MARK: Answers

    @Test("an answer to another question is ignored")
    func lateAnswer() {
        var session = ServerSession(settings: SessionSettings(.testing), facts: .testing)
        var actions: [ServerAction] = []
        session.handle(.connected, now: Timestamp(seconds: 0), into: &actions)
        actions = []
        session.handle(.answered(7, .accept), now: Timestamp(seconds: 0), into: &actions)
        #expect(actions.isEmpty)
        session.handle(.answered(1, .accept), now: Timestamp(seconds: 0), into: &actions)
        session.handle(.answered(1, .accept), now: Timestamp(seconds: 0), into: &actions)
        #expect(actions == [.send(Reply(220, nil, "mx.example.org ESMTP"))])
    }

    @Test("while the house thinks, only so much is read")
    func wantsInput() {
        var options = SessionOptions.testing
        options.limits.pipelinedOctets = 100
        var talk = ServerConversation(options, answering: .whenTold)
        talk.answerAll()
        talk.receive("EHLO client.example\r\n")
        #expect(talk.session.wantsInput)
        for _ in 0..<10 { talk.receive("NOOP 456789\r\n") }
        #expect(!talk.session.wantsInput)
        talk.answerAll()
        #expect(talk.session.wantsInput)
        #expect(talk.sentCodes.filter { $0 == "250 " }.count == 11)
    }

    @Test(
        "an answer that makes no sense is a failure of ours",
        arguments: [Answer.challenge([1]), .authenticated(account: "x")])
    func senseless(_ answer: Answer) {
        var session = ServerSession(settings: SessionSettings(.testing), facts: .testing)
        var actions: [ServerAction] = []
        session.handle(.connected, now: Timestamp(seconds: 0), into: &actions)
        session.handle(.answered(1, .accept), now: Timestamp(seconds: 0), into: &actions)
        Array("HELO x\r\nMAIL FROM:<>\r\n".utf8).withUnsafeBytes {
            session.receive($0, now: Timestamp(seconds: 0), into: &actions)
        }
        session.handle(.answered(2, .accept), now: Timestamp(seconds: 0), into: &actions)
        actions = []
        session.handle(.answered(3, answer), now: Timestamp(seconds: 0), into: &actions)
        #expect(actions == [.send(Reply(451, EnhancedStatus(4, 3, 0), "cannot say now, try later"))])
        #expect(!session.isInTransaction)
    }

    // MARK: STARTTLS

    @Test(
        "what arrives behind STARTTLS ends the session, in the same read and in the next",
        arguments: [0, 1, 6])
    func commandInjection(_ together: Int) {
        var options = SessionOptions.testing
        options.tls = .startTLS
        var talk = ServerConversation(options)
        talk.receive("EHLO client.example\r\n")
        let injected = Array("NOOP\r\n".utf8)
        talk.receive(Array("STARTTLS\r\n".utf8) + injected[..<together])
        talk.receive(Array(injected[together...]))
        #expect(talk.isClosed)
        #expect(talk.handshakes == (together == 0 ? 1 : 0))
        talk.handle(.tlsEstablished(.testing))
        #expect(!talk.sentText.contains("250 2.0.0 ok"))
    }

    @Test("what arrives behind STARTTLS while an earlier answer is awaited ends the session too")
    func commandInjectionHeld() {
        var options = SessionOptions.testing
        options.tls = .startTLS
        var talk = ServerConversation(options, answering: .whenTold)
        talk.answerAll()
        talk.receive("EHLO client.example\r\nSTARTTLS\r\n")
        talk.receive("NOOP\r\n")
        talk.answerAll()
        #expect(talk.isClosed)
        #expect(talk.handshakes == 0)
    }

    @Test("TLS makes the session forget who it was")
    func forgets() {
        var options = SessionOptions.testing
        options.tls = .startTLS
        options.authenticationMechanisms = ["PLAIN"]
        options.allowsClearAuthentication = true
        var talk = ServerConversation(options)
        talk.receive("EHLO client.example\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\n")
        #expect(talk.session.account == "user")
        talk.receive("STARTTLS\r\n")
        talk.handle(.tlsEstablished(.testing))
        #expect(talk.session.account == nil)
        #expect(talk.session.facts.tls == .testing)
    }

    // MARK: Limits

    @Test("a line that is too long is passed over, and is one error")
    func longLine() {
        for count in [511, 512, 513, 1_300, 5_000] {
            var talk = ServerConversation()
            let line = "NOOP " + String(repeating: "x", count: count - 7) + "\r\n"
            talk.receive(line + "NOOP\r\n")
            let first = count <= 512 ? "250 2.0.0 ok" : "500 5.5.2 line too long"
            #expect(talk.sentText == "220 mx.example.org ESMTP\r\n\(first)\r\n250 2.0.0 ok\r\n")
            var drops = ServerConversation()
            for octet in Array((line + "NOOP\r\n").utf8) { drops.receive([octet]) }
            #expect(drops.sentText == talk.sentText)
        }
    }

    @Test(
        "a line of authentication may have 12,288 octets, and none more",
        arguments: [12_286, 12_288, 12_292, 40_000])
    func authenticationLine(_ count: Int) {
        var options = SessionOptions.testing
        options.authenticationMechanisms = ["PLAIN"]
        options.allowsClearAuthentication = true
        for isExchange in [true, false] {
            var talk = ServerConversation(options)
            talk.receive("EHLO client.example\r\n")
            _ = talk.takeSent()
            let start = isExchange ? "AUTH PLAIN\r\n" : ""
            let head = isExchange ? "" : "AUTH PLAIN "
            // RFC 4954 §4 counts the CRLF.
            let letters = (count - 2 - head.utf8.count) / 4 * 4
            let padding = String(repeating: "A", count: letters)
            talk.receive(start + head + padding + (count > 12_288 ? "AAAA" : "") + "\r\nNOOP\r\n")
            let expected =
                count <= 12_288 ? "535 5.7.8 authentication failed" : "500 5.5.6 authentication line too long"
            #expect(talk.sentText == (isExchange ? "334 \r\n" : "") + expected + "\r\n250 2.0.0 ok\r\n")
        }
    }

    @Test("an exchange that does not end is ended")
    func endlessExchange() {
        var options = SessionOptions.testing
        options.authenticationMechanisms = ["SCRAM-SHA-256"]
        options.allowsClearAuthentication = true
        var talk = ServerConversation(options)
        talk.receive("EHLO client.example\r\nAUTH SCRAM-SHA-256 b25l\r\n")
        for _ in 0..<8 { talk.receive("b25l\r\n") }
        #expect(!talk.sentText.contains("535"))
        talk.receive("b25l\r\nNOOP\r\n")
        #expect(talk.sentText.hasSuffix("535 5.7.8 authentication failed\r\n250 2.0.0 ok\r\n"))
    }

    @Test("recipients beyond the limit are put off, and a bounce has one")
    func recipients() {
        var options = SessionOptions.testing
        options.limits.recipientCount = 3
        for (sender, limit) in [("<a@example.com>", 3), ("<>", 1)] {
            var talk = ServerConversation(options)
            talk.receive("HELO client.example\r\nMAIL FROM:\(sender)\r\nRCPT TO:<never@example.org>\r\n")
            _ = talk.takeSent()
            for index in 0..<5 { talk.receive("RCPT TO:<r\(index)@example.org>\r\n") }
            #expect(
                talk.sentCodes == Array(repeating: "250 ", count: limit)
                    + Array(repeating: "452 ", count: 5 - limit))
        }
    }

    // MARK: Time

    @Test("a command must come wholly within its time; a message only must not fall silent")
    func slowness() {
        var talk = ServerConversation()
        talk.receive("HELO client.example\r\n")
        for _ in 0..<4 {
            talk.now = talk.now + .seconds(60)
            talk.receive("N")
        }
        talk.now = talk.now + .seconds(60)
        talk.handle(.deadlinePassed)
        #expect(talk.isClosed)

        talk = ServerConversation()
        talk.receive("HELO client.example\r\n" + Self.envelope + "DATA\r\n")
        for _ in 0..<10 {
            talk.now = talk.now + .seconds(299)
            talk.handle(.deadlinePassed)
            talk.receive("x\r\n")
        }
        #expect(!talk.isClosed)
        for _ in 0..<4 {
            talk.now = talk.now + .seconds(299)
            talk.handle(.deadlinePassed)
            talk.receive("x\r\n")
        }
        #expect(talk.isClosed)
        #expect(talk.aborted == 1)
        #expect(talk.sentText.hasSuffix("421 4.4.2 waited too long\r\n"))
    }

    @Test("a house that never answers does not keep the client for ever")
    func silentHouse() {
        var talk = ServerConversation(answering: .whenTold)
        #expect(talk.session.deadline == talk.now + .seconds(540))
        talk.now = talk.now + .seconds(540)
        talk.handle(.deadlinePassed)
        #expect(talk.sentText == "421 4.3.0 cannot say now, try later\r\n")
        #expect(talk.isClosed)
    }

    @Test(
        "a message that may be stored already is never refused: the house says what became of it, however late"
    )
    func overdueMessage() {
        let answers: [(Answer?, String)] = [
            (.reply(Reply(250, EnhancedStatus(2, 0, 0), "queued")), "250 2.0.0 queued\r\n"),
            (.refuse(Reply(451, EnhancedStatus(4, 3, 0), "taken back")), "451 4.3.0 taken back\r\n"),
            (nil, ""),
        ]
        for (answer, heard) in answers {
            var talk = ServerConversation()
            talk.receive("HELO client.example\r\n" + Self.envelope + "DATA\r\n")
            _ = talk.takeSent()
            talk.answering = .whenTold
            talk.receive("all of it\r\n.\r\n")
            talk.now = talk.now + .seconds(539)
            talk.handle(.deadlinePassed)
            #expect(talk.withdrawn == [])
            talk.now = talk.now + .seconds(1)
            talk.handle(.deadlinePassed)
            talk.handle(.deadlinePassed)
            #expect(talk.withdrawn == [5])
            #expect(talk.takeSent() == "")
            if let answer {
                talk.handle(.answered(5, answer))
                #expect(talk.takeSent() == heard)
                talk.receive("NOOP\r\n")
                #expect(talk.takeSent() == "250 2.0.0 ok\r\n")
            } else {
                talk.now = talk.now + .seconds(540)
                talk.handle(.deadlinePassed)
                #expect(talk.takeSent() == "")
                #expect(talk.isClosed)
            }
            #expect(talk.aborted == 0)
        }
    }

    @Test("what it refuses without asking is told to the house, while the transaction is still there")
    func unaskedRefusals() {
        let sender = Mailbox(localPart: "a", domain: Domain("b.example"))
        let cases: [(String, Refused, UInt16)] = [
            ("MAIL FROM:<a@b.example> SIZE=31\r\n", .mail(.mailbox(sender)), 552),
            (
                Self.envelope + "DATA\r\n" + String(repeating: "0123456789\r\n", count: 4) + ".\r\n",
                .content, 552
            ),
            (Self.envelope + "BDAT 31 LAST\r\n" + String(repeating: "x", count: 31), .content, 552),
            (
                Self.envelope + String(repeating: "RCPT TO:<c@d.example>\r\n", count: 3), .recipient, 452
            ),
        ]
        for (commands, what, code) in cases {
            var options = SessionOptions.testing
            options.limits.messageOctets = 30
            options.limits.recipientCount = 1
            var talk = ServerConversation(options)
            talk.receive("EHLO client.example\r\n" + commands)
            #expect(talk.refused.map(\.what) == [what])
            #expect(talk.refused.map(\.code) == [code])
            #expect(talk.refused.map(\.aborted) == [0])
            #expect(talk.sentText.contains("\(code) "))
        }
    }

    // MARK: The end

    @Test(
        "a transaction that is lost is told to the house, once",
        arguments: ["RSET\r\n", "EHLO x\r\n", "QUIT\r\n", "BDAT 1 LOST\r\nxRSET\r\n"])
    func aborts(_ ending: String) {
        var talk = ServerConversation()
        talk.receive("HELO client.example\r\n" + Self.envelope + ending + "RSET\r\n")
        talk.handle(.disconnected)
        #expect(talk.aborted == 1)
    }

    @Test("a client that leaves within its message leaves nothing behind")
    func leaves() {
        var talk = ServerConversation()
        talk.receive("HELO client.example\r\n" + Self.envelope + "DATA\r\nhalf of it\r\n.\r")
        talk.handle(.disconnected)
        #expect(talk.aborted == 1)
        #expect(talk.messages.isEmpty)
        talk.receive("\n")
        #expect(talk.messages.isEmpty)
    }

    @Test("a client that leaves while its message is stored takes nothing away")
    func leavesLate() {
        var talk = ServerConversation(answering: .whenTold)
        talk.answerAll()
        talk.receive("HELO client.example\r\n")
        talk.answerAll()
        talk.receive(Self.envelope + "DATA\r\n")
        talk.answerAll()
        talk.receive("all of it\r\n.\r\n")
        #expect(talk.session.isInTransaction)
        talk.handle(.disconnected)
        #expect(talk.aborted == 0)
    }

    @Test("after the end nothing happens any more")
    func closed() {
        for event: ServerEvent in [
            .connected, .answered(1, .accept), .tlsEstablished(.testing), .deadlinePassed, .drain, .cut,
            .disconnected,
        ] {
            var talk = ServerConversation()
            talk.receive("QUIT\r\n")
            let before = talk.sentText
            talk.handle(event)
            talk.receive("NOOP\r\n")
            #expect(talk.sentText == before)
            #expect(talk.session.deadline == nil)
            #expect(!talk.session.wantsInput)
        }
    }

    /// A way into each state: what the client says, how many questions are answered on the way.
    struct Situation: Sendable, CustomStringConvertible {
        let description: String
        let answers: UInt32
        let input: String

        init(_ state: String, _ answers: UInt32, _ input: String) {
            description = state
            self.answers = answers
            self.input = input
        }

        func session(
            _ settings: SessionSettings, now: Timestamp, _ actions: inout [ServerAction]
        ) -> ServerSession {
            var session = ServerSession(settings: settings, facts: .testing)
            if description != "connecting" { session.handle(.connected, now: now, into: &actions) }
            Array(input.utf8).withUnsafeBytes { session.receive($0, now: now, into: &actions) }
            for ticket in 1..<answers + 1 {
                let isExchange = input.contains("AUTH") && ticket == 3
                session.handle(
                    .answered(ticket, isExchange ? .challenge([]) : .accept), now: now, into: &actions)
            }
            return session
        }
    }

    static let situations = [
        Situation("connecting", 0, ""),
        Situation("asking", 0, ""),
        Situation("asking", 1, "EHLO x\r\n"),
        Situation("asking", 2, "HELO x\r\n" + envelope),
        Situation("asking", 3, "HELO x\r\n" + envelope),
        Situation("asking", 4, "HELO x\r\n" + envelope + "DATA\r\nabc\r\n.\r\n"),
        Situation("asking", 2, "HELO x\r\nXCLIENT ADDR=192.0.2.8\r\n"),
        Situation("asking", 3, "EHLO x\r\nAUTH PLAIN\r\n*\r\n"),
        Situation("commands", 1, ""),
        Situation("commands", 2, "HELO x\r\nNOO"),
        Situation("commands", 4, "HELO x\r\n" + envelope),
        Situation("commands", 4, "HELO x\r\n" + envelope + "BDAT 3\r\nabc"),
        Situation("commands", 4, "HELO x\r\n" + envelope + "BDAT 3 NOW\r\nabc"),
        Situation("authenticating", 3, "EHLO x\r\nAUTH PLAIN\r\n"),
        Situation("overlongLine", 1, String(repeating: "x", count: 20_000)),
        Situation("content", 4, "HELO x\r\n" + envelope + "DATA\r\nabc"),
        Situation("chunk", 4, "HELO x\r\n" + envelope + "BDAT 10\r\nabc"),
        Situation("droppedChunk", 1, "BDAT 10\r\nabc"),
        Situation("handshaking", 2, "EHLO x\r\nSTARTTLS\r\n"),
        Situation("closed", 1, "QUIT\r\n"),
    ]

    private static let openToAll: SessionSettings = {
        var options = SessionOptions.testing
        options.tls = .startTLS
        options.authenticationMechanisms = ["PLAIN"]
        options.allowsClearAuthentication = true
        options.earlyTalkers = .allow
        options.xclientPeers = NetworkSet([Network("192.0.2.0/24")!])
        return SessionSettings(options)
    }()

    @Test("each state meets each event, and a session that ends says so once and last", arguments: situations)
    func everyPair(_ situation: Situation) {
        let now = Timestamp(seconds: 1000)
        let later = now + .seconds(100_000)
        let refusal = Answer.refuse(Reply(421, nil, "x"))
        let answers: [ServerEvent] = (1...5).flatMap { ticket in
            [.answered(ticket, .accept), .answered(ticket, refusal), .answered(ticket, .challenge([1]))]
        }
        let events =
            answers + [.connected, .tlsEstablished(.testing), .deadlinePassed, .drain, .cut, .disconnected]
        for first in events {
            for second in events {
                var all: [ServerAction] = []
                var session = situation.session(Self.openToAll, now: now, &all)
                #expect("\(session.state)".hasPrefix(situation.description))
                session.handle(first, now: later, into: &all)
                session.handle(second, now: later, into: &all)
                Array("x\r\nNOOP\r\n".utf8).withUnsafeBytes { session.receive($0, now: later, into: &all) }
                let closes = all.indices.filter { all[$0] == .close }
                #expect(closes.count <= 1, "\(first), \(second)")
                if let close = closes.first { #expect(close == all.indices.last, "\(first), \(second)") }
                #expect(session.isClosed || session.deadline != nil)
                if [first, second].contains(where: { $0 == .disconnected || $0 == .cut }) {
                    #expect(session.isClosed)
                }
                let begun = all.count { $0 == .beginMessage }
                let ended = all.count { if case .ask(_, .endOfMessage) = $0 { true } else { false } }
                #expect(begun <= ended + all.count { $0 == .abortTransaction } || session.isInTransaction)
            }
        }
    }
}
