import MailValues
import MessageFormat
import QueueEngine
import SMTPProtocol
import Testing

@testable import Delivery

private let accepted = Timestamp(seconds: 1_800_000_000)

@Suite("What an attempt makes of a message")
struct SettlementTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var kind: RecipientResult.Kind
        var notify: DSNNotify?
        var age: Duration = .seconds(10)
        var isNull = false
        var peerReports = false
        var mayReport = true
        var state: Recipient.Progress.State
        var action: DeliveryReport.Action?
        var testDescription: String { name }
    }

    @Test(
        "states and reports follow result, age and NOTIFY",
        arguments: [
            Case(name: "delivered, nothing asked", kind: .delivered, state: .delivered),
            Case(
                name: "delivered, success asked, peer does not report", kind: .delivered, notify: .success,
                state: .delivered, action: .relayed),
            Case(
                name: "delivered, success asked, peer reports", kind: .delivered, notify: .success,
                peerReports: true, state: .delivered),
            Case(name: "bounced", kind: .bounced, state: .bounced, action: .failed),
            Case(
                name: "bounced, failure asked", kind: .bounced, notify: [.failure, .delay], state: .bounced,
                action: .failed),
            Case(name: "bounced, only success asked", kind: .bounced, notify: .success, state: .bounced),
            Case(name: "bounced, never asked", kind: .bounced, notify: .never, state: .bounced),
            Case(name: "bounced, null path", kind: .bounced, isNull: true, state: .bounced),
            Case(name: "deferred, young", kind: .deferred, state: .waiting),
            Case(
                name: "deferred, late", kind: .deferred, age: .seconds(14_401), state: .waiting,
                action: .delayed),
            Case(
                name: "deferred, late, only failure asked", kind: .deferred, notify: .failure,
                age: .seconds(14_401), state: .waiting),
            Case(
                name: "deferred, late, null path", kind: .deferred, age: .seconds(14_401), isNull: true,
                state: .waiting),
            Case(
                name: "deferred, too old", kind: .deferred, age: .seconds(432_000), state: .bounced,
                action: .failed),
            Case(
                name: "deferred, null path, too old", kind: .deferred, age: .seconds(172_800), isNull: true,
                state: .bounced),
            Case(name: "bounced, no room for a report", kind: .bounced, mayReport: false, state: .waiting),
            Case(
                name: "bounced, nobody to tell, no room", kind: .bounced, notify: .never, mayReport: false,
                state: .bounced),
            Case(
                name: "too old, no room for a report", kind: .deferred, age: .seconds(500_000),
                mayReport: false, state: .waiting),
            Case(
                name: "delivered, success asked, no room", kind: .delivered, notify: .success,
                mayReport: false, state: .delivered),
        ]
    )
    func settles(sample: Case) {
        var envelope = Envelope(
            id: QueueID(high: 1, low: 1), acceptedAt: accepted,
            reversePath: sample.isNull ? .null : .mailbox(mailbox("s@from.example")),
            recipients: [Recipient(mailbox: mailbox("r@to.example"), notify: sample.notify)], sizeOctets: 10,
            origin: Envelope.Origin(listener: "mx"))
        envelope.recipients[0].progress.attempts = 4
        var random = SplitMix(seed: 1)
        let now = accepted + sample.age
        let settlement = Settlement(
            of: envelope,
            results: [
                RecipientResult(
                    index: 0, kind: sample.kind, reply: Reply(450, nil, "x"), host: "mx",
                    peerReports: sample.peerReports)
            ],
            now: now, schedule: RetrySchedule(), failures: 4, mayReport: sample.mayReport, random: &random)
        #expect(settlement.progress.map(\.progress.state) == [sample.state])
        #expect(settlement.progress.first?.progress.attempts == 5)
        #expect(settlement.reported.map(\.action) == (sample.action.map { [$0] } ?? []))
        #expect((settlement.nextAttempt != nil) == (sample.state == .waiting))
        if let next = settlement.nextAttempt { #expect(next > now) }
    }

    @Test("the last attempt is made when the time is up, not after it")
    func lastAttempt() {
        let envelope = Envelope(
            id: QueueID(high: 1, low: 1), acceptedAt: accepted, reversePath: .null,
            recipients: [Recipient(mailbox: mailbox("r@to.example"))], sizeOctets: 10,
            origin: Envelope.Origin(listener: "mx"))
        var random = SplitMix(seed: 1)
        let deadline = accepted + .seconds(172_800)
        let settlement = Settlement(
            of: envelope, results: [RecipientResult(index: 0, kind: .deferred, reply: Reply(450, nil, "x"))],
            now: deadline - .seconds(60), schedule: RetrySchedule(), failures: 40, random: &random)
        #expect(settlement.nextAttempt == deadline)
    }
}
