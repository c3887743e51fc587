import MailValues
import QueueEngine
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("What is recorded")
struct RecordingTests {
    @Test("a delivery that the store refuses to record is offered again, and never made again")
    func refusedRecord() async {
        let house = DeliveryHouse()
        await house.run {
            let id = house.accept(to: ["a@single.example"])
            house.store.fail(3, with: .sick(detail: "test"))
            while !house.store.contents.removed.contains(id) { await house.pass(.seconds(1)) }
        }
        #expect(house.dialer.deliveries.count == 1)
    }

    @Test("while the store takes no new mail, a failure waits for its report and a delivery does not")
    func noRoomForReports() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            .each(transaction) {
                $0.mailbox.localPart == "gone"
                    ? .refused(Reply(550, EnhancedStatus(5, 1, 1), "no"), command: "RCPT")
                    : .delivered(Reply(250, nil, "ok"))
            }
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let envelope = house.envelope(
                to: ["gone@single.example", "here@single.example"], content: "A: b\r\n\r\n")
            house.store.plant(envelope, content: Array("A: b\r\n\r\n".utf8))
            house.store.intakeRefusal = .full
            house.dispatcher.arrived(envelope, content: [])
            await house.store.until { $0.envelopes[envelope.id]?.recipients[1].progress.state == .delivered }
            #expect(house.store.contents.envelopes[envelope.id]?.recipients[0].progress.state == .waiting)
            await house.idle()
            house.store.intakeRefusal = nil
            while !house.store.contents.removed.contains(envelope.id) { await house.pass(.seconds(60)) }
        }
        let toGone = house.dialer.deliveries.filter {
            $0.transaction.recipients.contains { $0.mailbox.localPart == "here" }
        }
        #expect(toGone.count == 1)
        #expect(house.dispatcher.status.counters.reports == 1)
    }

    @Test("nothing is attempted that could not be recorded")
    func noAttemptWithoutRoom() async {
        let house = DeliveryHouse()
        await house.run {
            house.store.deliveryRefusal = .full
            let id = house.accept(to: ["a@single.example"])
            for _ in 0..<20 { await house.pass(.seconds(1)) }
            #expect(house.dialer.dials.isEmpty)
            house.store.deliveryRefusal = nil
            while !house.store.contents.removed.contains(id) { await house.pass(.seconds(1)) }
        }
        #expect(house.dialer.deliveries.count == 1)
    }

    @Test("the sender hears once that his message is late, and at the end that it failed")
    func lateAndExpired() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            transaction.reversePath == .null
                ? .allTaken(transaction) : .allRefused(transaction, Reply(451, nil, "later"), command: "RCPT")
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@single.example"])
            while !house.store.contents.removed.contains(id) {
                await house.pass(.seconds(600))
                await house.idle()
            }
            await house.store.until { $0.envelopes.isEmpty }
        }
        let reports = house.dialer.deliveries.filter { $0.transaction.reversePath == .null }
            .map { String(decoding: $0.content, as: UTF8.self) }
        #expect(reports.count == 2)
        #expect(reports.first?.contains("Action: delayed") == true)
        #expect(reports.last?.contains("Action: failed") == true)
        #expect(reports.last?.contains("Status: 5.4.7") == true)
        #expect(house.dispatcher.status.counters.expired == 1)
        let attempts = house.dialer.deliveries.count - 2
        // The clock here runs ahead of the dispatcher now and then, so some attempts come late and are fewer.
        #expect((20...140).contains(attempts), "five days, at most an attempt an hour: \(attempts)")
    }

    @Test("mail for a site that never answers is given up at its time, though it was not tried each time")
    func deadSiteExpires() async {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.hostName == "mx.single.example" { throw .notConnected(detail: "timed out") }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let ids = (0..<20).map { house.accept(to: ["u\($0)@single.example"]) }
            while !ids.allSatisfy({ house.store.contents.removed.contains($0) }) {
                await house.pass(.seconds(300))
            }
            while !house.store.contents.envelopes.isEmpty { await house.pass(.seconds(1)) }
        }
        let reports = house.dialer.deliveries.map { String(decoding: $0.content, as: UTF8.self) }
        #expect(reports.count { $0.contains("Action: delayed") } == 20)
        #expect(reports.count { $0.contains("Action: failed") } == 20)
        #expect(house.dispatcher.status.counters.suspended > 0)
        let dials = house.dialer.dials.count { $0.hostName == "mx.single.example" }
        #expect(dials < 700, "one connection looks, every quarter of an hour: \(dials)")
    }

    @Test("five hundred recipients go in as many transactions as the peer's RCPTMAX asks for")
    func recipientMaximum() async {
        let dialer = ScriptedDialer(greeting: { _ in
            var peer = PeerCapabilities.everything
            peer.recipientMaximum = 100
            return peer
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: (0..<500).map { "u\($0)@single.example" })
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.deliveries.map(\.transaction.recipients.count) == [100, 100, 100, 100, 100])
        #expect(
            Set(house.dialer.deliveries.flatMap { $0.transaction.recipients.map(\.mailbox) }).count == 500)
        #expect(house.dialer.deliveries.allSatisfy { !$0.content.isEmpty })
    }

    @Test("a connection carries no more messages than the peer's MAILMAX")
    func mailMaximum() async {
        let dialer = ScriptedDialer(greeting: { _ in
            var peer = PeerCapabilities.everything
            peer.mailMaximum = 2
            return peer
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            for _ in 0..<5 {
                let id = house.accept(to: ["a@single.example"])
                await house.store.until { $0.removed.contains(id) }
                await house.idle()
            }
        }
        #expect(house.dialer.deliveries.count == 5)
        #expect(house.dialer.dials.count >= 3)
    }

    @Test("what waited while nothing could be recorded goes on when it can, without new mail")
    func roomReturns() async {
        let gate = Gate()
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            await gate.pass()
            return .allTaken(transaction)
        })
        let house = DeliveryHouse(dialer: dialer) { $0.limits.connectionsPerSite = 1 }
        await house.run {
            let ids = (0..<10).map { house.accept(to: ["u\($0)@single.example"]) }
            await gate.untilSomebodyWaits()
            house.store.deliveryRefusal = .full
            gate.open()
            await house.idle()
            for _ in 0..<100 { await house.pass(.milliseconds(250)) }
            #expect(house.store.contents.removed.count < 10)
            house.store.deliveryRefusal = nil
            while !ids.allSatisfy({ house.store.contents.removed.contains($0) }) {
                await house.pass(.milliseconds(250))
            }
        }
        #expect(house.dialer.deliveries.count == 10)
    }

    @Test("the content of a message that was not kept in memory comes from the store")
    func storedContent() async throws {
        let house = DeliveryHouse { $0.freshOctetLimit = 0 }
        await house.run {
            let id = house.accept(to: ["a@single.example"], content: "From: x\r\n\r\nstored\r\n")
            await house.store.until { $0.removed.contains(id) }
        }
        let content = house.dialer.deliveries.first?.content
        #expect(content == Array("From: x\r\n\r\nstored\r\n".utf8))
    }

    @Test("a report about success is sent where the next hop does not send one")
    func successReport() async {
        let dialer = ScriptedDialer(greeting: { _ in PeerCapabilities() })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            house.accept(to: ["a@single.example"]) { $0.recipients[0].notify = .success }
            await house.store.until { $0.removed.count == 2 }
        }
        let report = house.dialer.deliveries.last.map { String(decoding: $0.content, as: UTF8.self) }
        #expect(report?.contains("Action: relayed") == true)
        #expect(house.dialer.deliveries.first?.transaction.recipients.first?.notify == nil)
    }

    @Test("a stop lets what is in flight end, and records it")
    func stops() async {
        let gate = Gate()
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            await gate.pass()
            return .allTaken(transaction)
        })
        let house = DeliveryHouse(dialer: dialer)
        let isOver = Flag()
        async let running: Void = {
            await house.dispatcher.run()
            isOver.raise()
        }()
        let id = house.accept(to: ["a@single.example"])
        await gate.untilSomebodyWaits()
        house.dispatcher.stop(grace: .seconds(30))
        let late = house.accept(to: ["late@single.example"])
        gate.open()
        await house.store.until { $0.removed.contains(id) }
        while house.dialer.quitCount == 0 {
            house.clock.advance(by: .milliseconds(250))
            await Task.yield()
        }
        while !isOver.isRaised {
            house.clock.advance(by: .milliseconds(250))
            await Task.yield()
        }
        await running
        #expect(house.store.contents.envelopes[late] != nil)
        #expect(house.dialer.deliveries.count == 1)
    }
}
