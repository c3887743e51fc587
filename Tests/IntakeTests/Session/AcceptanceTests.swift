import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import TestSupport
import Testing

@testable import Intake

@Suite("A message that intake takes")
struct AcceptanceTests {
    private let message = "From: a@example.test\r\nSubject: x\r\n\r\nbody\r\n"
    /// What the account `sender@example.test` may have written.
    private let own = "From: sender@example.test\r\nSubject: x\r\n\r\nbody\r\n"

    @Test("is in the store before its 250, and the 250, the store and the event bear the same id")
    func accepted() throws {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        guest.mail()
        guest.recipient()
        guest.session.beginMessage()
        #expect(guest.session.content(Array(message.utf8), asker: guest))
        #expect(guest.askOnly(.endOfMessage(MessageFacts(sizeOctets: message.utf8.count))) == nil)
        #expect(guest.lastAnswer == nil)
        guest.work()
        let id = try #require(house.queue.contents.envelopes.keys.first)
        #expect(guest.lastAnswer?.text == "250 2.0.0 Ok: queued as \(id)")
        #expect(house.feed.arrived.map(\.id) == [id])
        #expect(house.events.lines.contains { $0.contains("\"reception\"") && $0.contains("\(id)") })
        #expect(house.queue.contents.ledger[id]?.count == 1)
        #expect(house.isClean)
    }

    @Test("bears our trace header and is otherwise as it came")
    func trace() throws {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        guest.send(message)
        let content = try #require(house.onlyContent)
        #expect(content.hasPrefix("Received: from client.example.test ("))
        #expect(content.contains("[192.0.2.7]"))
        #expect(content.contains("by relay.example.test"))
        #expect(content.hasSuffix(message))
        let envelope = try #require(house.queue.contents.envelopes.values.first)
        #expect(envelope.sizeOctets == content.utf8.count)
        #expect(content.contains("\(envelope.id)"))
        #expect(content.utf8.count - message.utf8.count <= 600)
    }

    @Test("loses Return-Path, Bcc and results of authentication that claim to be ours")
    func headerRepair() throws {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        guest.send(
            """
            Return-Path: <x@example.org>\r
            From: a@example.test\r
            Bcc: secret@example.org,\r
             other@example.org\r
            Authentication-Results: relay.example.test; spf=pass\r
            Authentication-Results: other.example.org; spf=fail\r
            \r
            Bcc: stays, it is text\r

            """)
        let content = try #require(house.onlyContent)
        let rest = content[try #require(content.firstRange(of: "From: a@")).lowerBound...]
        #expect(
            rest
                == "From: a@example.test\r\nAuthentication-Results: other.example.org; spf=fail\r\n\r\n"
                + "Bcc: stays, it is text\r\n")
        #expect(!content.contains("Return-Path"))
    }

    @Test("gets a missing Date and Message-ID on submission and inside, never on the open door")
    func completed() throws {
        for kind in [ClientStanding.ListenerKind.mx, .inside, .submission] {
            let house = IntakeHouse { $0.kind = kind }
            let guest = house.guest(account: kind == .submission ? "sender@example.test" : nil)
            guest.hello()
            guest.send(own)
            let content = try #require(house.onlyContent, "\(kind)")
            #expect(content.contains("\r\nDate: ") == (kind != .mx))
            #expect(content.contains("\r\nMessage-ID: <") == (kind != .mx))
            let whole = IntakeHouse { $0.kind = kind }
            let other = whole.guest(account: kind == .submission ? "sender@example.test" : nil)
            other.hello()
            other.send("Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\n")
            let kept = try #require(whole.onlyContent)
            #expect(kept.components(of: "Date: ") == 1)
            #expect(kept.components(of: "Message-ID: ") == 1)
        }
    }

    @Test("with text where the header should be gets an empty line between our fields and it")
    func noHeader() throws {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        guest.send("just words\r\nmore words\r\n")
        let content = try #require(house.onlyContent)
        #expect(content.hasSuffix("\r\n\r\njust words\r\nmore words\r\n"))
    }

    @Test("names the account in its record, and an account is held to its own addresses")
    func account() throws {
        let house = IntakeHouse { $0.kind = .submission }
        let guest = house.guest(from: IntakeHouse.foreign, account: "sender@example.test")
        guest.hello()
        #expect(guest.mail("somebody-else@example.test")?.refusalCode == 553)
        guest.send(own)
        #expect(house.queue.contents.envelopes.values.first?.origin.account == "sender@example.test")
    }

    @Test(
        "an account writes its own name into From, unless the listener lets it write another",
        arguments: [
            (AuthorRule.own, "From: sender@example.test", true),
            (.own, "From: A Sender <sender+tag@example.test>", true),
            (.own, "From: The Boss <boss@example.test>", false),
            (.own, "From: sender@example.test\r\nFrom: boss@example.test", false),
            (.own, "From: boss@example.test <sender@example.test>", false),
            (.own, "From: boss@example.test\r\nSender: sender@example.test", false),
            (.own, "Subject: nobody wrote this", true),
            (.sender, "From: boss@example.test\r\nSender: sender@example.test", true),
            (.sender, "From: list@example.net\r\nResent-From: sender@example.test", true),
            (.sender, "From: boss@example.test", false),
            (.any, "From: boss@example.test", true),
        ])
    func authors(_ rule: AuthorRule, _ field: String, _ isTaken: Bool) {
        let house = IntakeHouse {
            $0.kind = .submission
            $0.authors = rule
        }
        let guest = house.guest(from: IntakeHouse.foreign, account: "sender@example.test")
        guest.hello()
        let answer = guest.send("\(field)\r\n\r\ntext\r\n")
        #expect(answer?.refusalCode == (isTaken ? nil : 550))
        #expect(house.queue.contents.envelopes.count == (isTaken ? 1 : 0))
        // Who comes without an account is asked for none of it.
        let neighbour = IntakeHouse { $0.authors = rule }
        let other = neighbour.guest()
        other.hello()
        #expect(other.send("\(field)\r\n\r\ntext\r\n")?.text != nil)
        #expect(house.isClean)
    }

    @Test("leaves the session ready for the next one")
    func many() {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        for number in 1...20 {
            #expect(guest.send("Subject: \(number)\r\n\r\n")?.text != nil)
        }
        #expect(house.queue.contents.envelopes.count == 20)
        #expect(house.isClean)
    }

    @Test("tells the client's name once it is known and confirmed, and waits for it never")
    func clientName() async throws {
        let resolver = ZoneResolver { zone in
            zone.names[IntakeHouse.inside] = ["forged.example.org", "client.example.test"]
            zone.addresses["forged.example.org"] = [IntakeHouse.foreign]
            zone.addresses["client.example.test"] = [IntakeHouse.inside]
        }
        let house = IntakeHouse {
            $0.looksUpNames = true
            $0.resolver = resolver
        }
        let guest = house.guest()
        guest.hello()
        while guest.waitingJobs == 0 { await Task.yield() }
        guest.work()
        guest.send(message)
        let content = try #require(house.onlyContent)
        #expect(content.contains("(client.example.test [192.0.2.7])"))
        #expect(!content.contains("forged"))
    }
}

extension String {
    /// How often `text` stands in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
