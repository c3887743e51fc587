import MailValues
import SMTPProtocol

/// One transaction of a message of 4 KiB through the session machine: no socket, no store, every answer at once.
///
/// The baseline looks at the same octets once, for their line feeds: nobody who finds the ends of lines does less.
enum SessionBenchmark {
    static let contentOctets = 4096
    private static let transactions = 20_000
    private static let now = Timestamp(seconds: 1_790_000_000)

    static func run(rounds: Int) -> Comparison {
        let parts = transaction()
        let baseline = Measurement("look for line feeds", rounds: rounds, operations: transactions) {
            var found = 0
            for _ in 0..<transactions {
                for part in parts { for octet in part where octet == 0x0A { found &+= 1 } }
            }
            precondition(found > 0, "there are lines")
        }
        let session = Measurement("session machine", rounds: rounds, operations: transactions) {
            var session = opened()
            for _ in 0..<transactions {
                for part in parts { feed(part, &session) }
            }
            precondition(session.isIdle, "each transaction has ended")
        }
        return Comparison(baseline: baseline, parts: [session])
    }

    /// What a client sends, a piece for each that it waits after.
    private static func transaction() -> [[UInt8]] {
        let line = String(repeating: "x", count: 62) + "\r\n"
        let body = String(repeating: line, count: contentOctets / line.utf8.count)
        return [
            "MAIL FROM:<a@sender.example>\r\n", "RCPT TO:<b@receiver.example>\r\n", "DATA\r\n",
            "From: <a@sender.example>\r\nSubject: measured\r\n\r\n" + body + ".\r\n",
        ].map { Array($0.utf8) }
    }

    private static func opened() -> ServerSession {
        let client = IPAddress("192.0.2.1")!
        let facts = ConnectionFacts(
            session: 1, client: client, clientPort: 4000, local: client, localPort: 25)
        var session = ServerSession(
            settings: SessionSettings(SessionOptions(hostname: Domain("relay.example"))), facts: facts)
        var actions: [ServerAction] = []
        session.handle(.connected, now: now, into: &actions)
        settle(&actions, &session)
        feed(Array("EHLO sender.example\r\n".utf8), &session)
        return session
    }

    private static func feed(_ octets: [UInt8], _ session: inout ServerSession) {
        var actions: [ServerAction] = []
        octets.withUnsafeBytes { session.receive($0, now: now, into: &actions) }
        settle(&actions, &session)
    }

    /// Says yes to every question, and makes every reply.
    private static func settle(_ actions: inout [ServerAction], _ session: inout ServerSession) {
        var output: [UInt8] = []
        var index = 0
        while index < actions.count {
            switch actions[index] {
            case .ask(let ticket, _):
                session.handle(.answered(ticket, .accept), now: now, into: &actions)
            case .send(let reply): reply.append(to: &output)
            case .sendChallenge, .beginMessage, .content, .refused, .abortTransaction, .withdraw, .startTLS,
                .close:
                break
            }
            index += 1
        }
    }
}
