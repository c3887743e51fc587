import MailValues
import SMTPProtocol
import Testing

@testable import Delivery

@Suite("What a reply means")
struct OutcomeReadingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var outcome: TransactionOutcome.RecipientOutcome
        var isReused = false
        var hasCredentials = false
        /// nil: unsettled.
        var kind: RecipientResult.Kind?
        var next: OutcomeReading.Next = .settled
        var testDescription: String { name }
    }

    static let lost = HostFailure(
        reply: Reply(451, EnhancedStatus(4, 4, 2), "Connection lost: reset"), host: "mx.example",
        isOurWord: true)
    static let closing = said(Reply(421, nil, "closing"))

    static let full = Reply(452, nil, "full")

    private static func about(host reply: Reply, _ command: String) -> Case {
        Case(
            name: "\(reply) to \(command): another host", outcome: .refused(reply, command: command),
            next: .otherHost(said(reply)))
    }

    private static func about(message reply: Reply, _ command: String) -> Case {
        Case(
            name: "\(reply) to \(command) defers", outcome: .refused(reply, command: command),
            kind: .deferred)
    }

    static func said(_ reply: Reply) -> HostFailure {
        HostFailure(reply: reply, host: "mx.example", isOurWord: false)
    }

    @Test(
        "each reply class settles the recipient, or leads to another connection or host",
        arguments: [
            Case(name: "250 delivers", outcome: .delivered(Reply(250, nil, "ok")), kind: .delivered),
            Case(
                name: "450 to RCPT defers", outcome: .refused(Reply(450, nil, "greylisted"), command: "RCPT"),
                kind: .deferred),
            Case(
                name: "451 to the dot defers", outcome: .refused(Reply(451, nil, "later"), command: "."),
                kind: .deferred),
            // RFC 5321 §4.2.3: insufficient system storage.
            Case(
                name: "452 to MAIL: another host", outcome: .refused(full, command: "MAIL"),
                next: .otherHost(said(full))),
            Case(
                name: "452 to MAIL on an old connection: another host",
                outcome: .refused(full, command: "MAIL"), isReused: true, next: .otherHost(said(full))),
            Case(
                name: "452 to the end of data: another host", outcome: .refused(full, command: "end of data"),
                next: .otherHost(said(full))),
            Case(name: "452 to RCPT defers", outcome: .refused(full, command: "RCPT"), kind: .deferred),
            about(host: Reply(452, EnhancedStatus(4, 3, 1), "full"), "RCPT"),
            about(host: Reply(452, EnhancedStatus(4, 3, 1), "full"), "MAIL"),
            about(host: Reply(451, EnhancedStatus(4, 3, 0), "trouble"), "end of data"),
            about(host: Reply(450, EnhancedStatus(4, 3, 2), "not now"), "DATA"),
            about(host: Reply(451, EnhancedStatus(4, 3, 5), "misconfigured"), "MAIL"),
            about(message: Reply(452, EnhancedStatus(4, 3, 4), "big"), "MAIL"),
            about(message: Reply(451, EnhancedStatus(4, 7, 1), "greylisted"), "RCPT"),
            about(message: Reply(450, EnhancedStatus(4, 7, 0), "slower"), "MAIL"),
            about(message: Reply(452, EnhancedStatus(4, 2, 2), "mailbox full"), "RCPT"),
            about(message: Reply(450, EnhancedStatus(4, 2, 1), "mailbox busy"), "end of data"),
            about(message: Reply(451, EnhancedStatus(4, 1, 8), "sender's domain"), "MAIL"),
            about(message: Reply(452, EnhancedStatus(4, 5, 3), "many"), "RCPT"),
            about(message: Reply(451, EnhancedStatus(4, 4, 3), "directory"), "RCPT"),
            Case(
                name: "5.3.2 bounces",
                outcome: .refused(Reply(554, EnhancedStatus(5, 3, 2), "no"), command: "MAIL"), kind: .bounced),
            Case(
                name: "550 to RCPT bounces", outcome: .refused(Reply(550, nil, "no"), command: "RCPT"),
                kind: .bounced),
            Case(
                name: "554 to the dot bounces", outcome: .refused(Reply(554, nil, "spam"), command: "."),
                kind: .bounced),
            Case(
                name: "552 to MAIL bounces", outcome: .refused(Reply(552, nil, "too big"), command: "MAIL"),
                kind: .bounced),
            // RFC 5321 §4.5.3.1.10: to RCPT it means too many recipients.
            Case(
                name: "552 to RCPT defers", outcome: .refused(Reply(552, nil, "many"), command: "RCPT"),
                kind: .deferred),
            Case(
                name: "421 on a new connection: next host", outcome: .refused(closing.reply, command: "MAIL"),
                next: .nextHost(closing)),
            Case(
                name: "421 on an old connection: a new one",
                outcome: .refused(closing.reply, command: "MAIL"),
                isReused: true,
                next: .newConnection),
            Case(
                name: "lost before the dot: next host", outcome: .lost(detail: "reset", afterDot: false),
                next: .nextHost(lost)),
            Case(
                name: "an old connection lost: a new one", outcome: .lost(detail: "reset", afterDot: false),
                isReused: true,
                next: .newConnection),
            Case(
                name: "lost behind the dot: later, nowhere else",
                outcome: .lost(detail: "reset", afterDot: true), kind: .deferred),
            Case(
                name: "530 bounces", outcome: .refused(Reply(530, nil, "auth"), command: "MAIL"),
                kind: .bounced),
            Case(
                name: "530 where we ought to have logged in defers",
                outcome: .refused(Reply(530, nil, "auth"), command: "MAIL"),
                hasCredentials: true, kind: .deferred),
        ]
    )
    func reads(sample: Case) {
        let reading = OutcomeReading(
            TransactionOutcome(recipients: [sample.outcome], connectionUsable: true), indices: [3],
            host: "mx.example",
            isReused: sample.isReused, hasCredentials: sample.hasCredentials, peerReports: false)
        #expect(reading.results.map(\.kind) == (sample.kind.map { [$0] } ?? []))
        #expect(reading.unsettled == (sample.kind == nil ? [3] : []))
        #expect(reading.next == sample.next)
        // Whatever happened, it happened there; and only what the host said is put into its mouth.
        for result in reading.results {
            #expect(result.host == "mx.example")
            if case .lost = sample.outcome { #expect(result.isOurWord) } else { #expect(!result.isOurWord) }
        }
    }

    @Test("recipients beyond what a host takes at a time go again at once, beside one that it took")
    func tooMany() {
        let many = TransactionOutcome.RecipientOutcome.refused(Reply(452, nil, "too many"), command: "RCPT")
        let reading = OutcomeReading(
            TransactionOutcome(
                recipients: [.delivered(Reply(250, nil, "ok")), many, many], connectionUsable: true),
            indices: [0, 1, 2], host: "mx.example", isReused: false, hasCredentials: false, peerReports: false
        )
        #expect(reading.again == [1, 2] && reading.results.count == 1)
        let none = OutcomeReading(
            TransactionOutcome(recipients: [many], connectionUsable: true), indices: [0], host: "mx.example",
            isReused: false, hasCredentials: false, peerReports: false)
        #expect(none.again.isEmpty && none.results.map(\.kind) == [.deferred])
    }

    @Test("each recipient lost behind the dot counts as a possible duplicate")
    func duplicates() {
        let outcome = TransactionOutcome(
            recipients: [
                .lost(detail: "", afterDot: true), .refused(Reply(550, nil, "no"), command: "RCPT"),
                .lost(detail: "", afterDot: true),
            ],
            connectionUsable: false)
        let reading = OutcomeReading(
            outcome, indices: [0, 1, 2], host: "mx.example", isReused: false, hasCredentials: false,
            peerReports: false)
        #expect(reading.possibleDuplicates == 2)
    }
}
