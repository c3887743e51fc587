import Cryptography
import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import Telemetry
import TestSupport
import Testing

@testable import Intake

@Suite("What intake refuses")
struct RefusalTests {
    private let message = "From: a@example.test\r\n\r\nbody\r\n"

    @Test("relaying for strangers: 550 at RCPT, an event, and nothing in the queue")
    func noRight() {
        let house = IntakeHouse()
        let guest = house.guest(from: IntakeHouse.foreign)
        guest.hello()
        #expect(guest.mail("x@example.org") == .accept)
        #expect(guest.recipient("y@example.net")?.refusalCode == 550)
        #expect(guest.recipient("known@example.test") == .accept)
        #expect(house.events.lines.contains { $0.contains("\"rejection\"") && $0.contains("y@example.net") })
        #expect(house.queue.contents.envelopes.isEmpty)
    }

    @Test(
        "a shared network's mail, unless sender, author and header are all ours",
        arguments: [
            ("a@example.test", "From: a@example.test\r\nX-OriginatorOrg: example.test\r\n\r\n", true),
            ("a@example.test", "From: a@example.test\r\nX-OriginatorOrg: EXAMPLE.test\r\n\r\n", true),
            ("a@example.test", "From: a@example.test\r\nX-OriginatorOrg: example.org\r\n\r\n", false),
            ("a@example.test", "From: a@example.test\r\n\r\nX-OriginatorOrg: example.test\r\n", false),
            ("a@example.test", "From: b@example.org\r\nX-OriginatorOrg: example.test\r\n\r\n", false),
            (
                "a@example.test",
                "From: a@example.test, b@example.org\r\nX-OriginatorOrg: example.test\r\n\r\n", false
            ),
            (
                "a@example.test",
                "From: a@example.test\r\nX-OriginatorOrg: x\r\nX-OriginatorOrg: example.test\r\n\r\n", false
            ),
            ("a@example.test", "X-OriginatorOrg: example.test\r\n\r\n", false),
        ])
    func shared(sender: String, content: String, isTaken: Bool) {
        let house = IntakeHouse()
        let guest = house.guest(from: IntakeHouse.cloud)
        guest.hello()
        let answer = guest.send(content, from: sender)
        #expect(answer?.refusalCode == (isTaken ? nil : 550), "\(String(describing: answer))")
        #expect(house.queue.contents.envelopes.count == (isTaken ? 1 : 0))
        #expect(house.isClean)
    }

    @Test("a network that a reload takes away loses its right at the next message of an open session")
    func networkIsTakenAway() {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        #expect(guest.send(message)?.refusalCode == nil)
        #expect(guest.mail() == .accept)
        var wishes = IntakeHouse.Wishes()
        wishes.networks = NetworkSet()
        house.flow.adopt(IntakeHouse.policy(wishes))
        #expect(guest.recipient() == .accept)  // what was begun ends as it began
        #expect(guest.send(message)?.refusalCode == 550)
        #expect(house.queue.contents.envelopes.count == 1)
    }

    @Test("an account that is taken away, or gets another password, is logged out at its next message")
    func accountIsTakenAway() throws {
        func accounts(_ password: String) throws -> AccountTable {
            let name = try #require(PreparedName("sender@example.test"))
            let verifier = ScramVerifier(password: Array(password.utf8), salt: [1, 2, 3], iterations: 4_096)
            return AccountTable([Account(name: name, verifier: verifier, senders: ["*"])])
        }
        let before = try accounts("pencil")
        let cases: [(AccountTable, UInt16?)] = [
            (try accounts("pencil"), nil), (try accounts("eraser"), 421), (AccountTable(), 421),
        ]
        for (after, code) in cases {
            let house = IntakeHouse {
                $0.kind = .submission
                $0.accounts = before
            }
            let guest = house.guest(from: IntakeHouse.foreign, account: "sender@example.test")
            guest.hello()
            #expect(guest.mail() == .accept)
            house.flow.authenticator.adopt(after)
            #expect(guest.mail()?.refusalCode == code)
            #expect(house.events.lines.contains { $0.contains("\"rejection\"") } == (code != nil))
        }
    }

    @Test("what the session refuses by itself is written down and counted")
    func unaskedRefusals() {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        guest.mail("x@example.org")
        guest.recipient("y@example.net")
        guest.session.refused(Reply(552, EnhancedStatus(5, 3, 4), "message too large"), .content)
        #expect(house.metrics.refusals[.content].value == 1)
        #expect(
            house.events.lines.contains { line in
                ["\"rejection\"", "x@example.org", "y@example.net", "552 5.3.4"].allSatisfy(line.contains)
            })
    }

    @Test("a shared network's sender of another domain: at RCPT already")
    func sharedSender() {
        let house = IntakeHouse()
        let guest = house.guest(from: IntakeHouse.cloud)
        guest.hello()
        guest.mail("a@example.org")
        #expect(guest.recipient()?.refusalCode == 550)
    }

    @Test("a message that has seen a hundred relays")
    func loops() {
        let house = IntakeHouse { $0.hopLimit = 3 }
        let guest = house.guest()
        guest.hello()
        let hop = "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
        #expect(guest.send(hop + hop + message)?.text != nil)
        let answer = guest.send(hop + hop + hop + message)
        #expect(
            answer
                == .refuse(Reply(554, EnhancedStatus(5, 4, 6), "Too many hops: this message goes in circles"))
        )
        #expect(house.queue.contents.envelopes.count == 1)
    }

    @Test("a header section longer than the first chunk, whether the message is large or small")
    func longHeader() {
        for tail in [0, 100_000] {
            let house = IntakeHouse { $0.chunkOctets = 8_192 }
            let guest = house.guest()
            guest.hello()
            let field = "X-Long: " + String(repeating: "x", count: 900) + "\r\n"
            let content = String(repeating: field, count: 10) + "\r\n" + String(repeating: "y", count: tail)
            #expect(guest.send(Array(content.utf8).pieces(of: 1_000))?.refusalCode == 552)
            #expect(house.queue.contents.envelopes.isEmpty)
            #expect(house.isClean)
        }
    }

    @Test("new mail while the store is full or sick, at MAIL; what it says is temporary")
    func storeRefuses() {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        house.queue.intakeRefusal = .full
        #expect(guest.mail()?.refusalCode == 452)
        house.queue.intakeRefusal = .sick(detail: "secret detail")
        #expect(
            guest.mail()
                == .refuse(Reply(451, EnhancedStatus(4, 3, 0), "Queue not available, try again later")))
        house.queue.intakeRefusal = nil
        #expect(guest.send(message)?.text != nil)
    }

    @Test(
        "new mail that nobody would deliver: 451 at MAIL, without a word of why, and none once that is over")
    func barred() {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        house.flow.bar.set("this node was evicted")
        let reply = Reply(451, EnhancedStatus(4, 3, 2), "System not accepting messages now, try again later")
        #expect(guest.mail() == .refuse(reply))
        house.flow.bar.set(nil)
        #expect(guest.send(message)?.text != nil)
    }

    @Test("mail without an account where accounts are needed")
    func submission() {
        let house = IntakeHouse { $0.kind = .submission }
        let guest = house.guest(from: IntakeHouse.foreign)
        guest.hello()
        #expect(guest.mail()?.refusalCode == 530)
    }

    @Test("more sessions than one network may have, but not those of networks that we trust")
    func census() {
        let house = IntakeHouse { $0.sessionLimits.perNetwork = 2 }
        let guests = (0..<4).map { _ in house.guest(from: IntakeHouse.foreign) }
        #expect(guests.map { $0.ask(.connection)?.refusalCode } == [nil, nil, 421, 421])
        let neighbours = (0..<4).map { _ in house.guest() }
        #expect(neighbours.allSatisfy { $0.ask(.connection) == .accept })
        for guest in guests + neighbours {
            guest.session.disconnected()
            guest.session.disconnected()
        }
        #expect(house.census.total == 0)
        #expect(house.guest(from: IntakeHouse.foreign).ask(.connection) == .accept)
    }
}
