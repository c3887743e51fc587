import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("A message's way out")
struct DispatcherTests {
    @Test("a message goes to a host of the best rank and leaves the queue")
    func delivers() async {
        let house = DeliveryHouse()
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        let deliveries = house.dialer.deliveries
        #expect(deliveries.count == 1)
        #expect(["mx1.to.example", "mx2.to.example"].contains(deliveries.first?.target.hostName))
        #expect(deliveries.first?.content == Array("Subject: x\r\n\r\nHi\r\n".utf8))
        #expect(house.store.contents.envelopes.isEmpty)
        #expect(house.events.lines.contains { $0.contains("\"delivery\"") })
    }

    @Test("recipients of one domain share a transaction, those of another have their own")
    func groups() async {
        let house = DeliveryHouse()
        await house.run {
            let id = house.accept(to: ["a@to.example", "b@single.example", "c@to.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        let recipients = house.dialer.deliveries.map { $0.transaction.recipients.map(\.mailbox.description) }
        #expect(Set(recipients) == [["a@to.example", "c@to.example"], ["b@single.example"]])
    }

    @Test("a connection is used again for the next message")
    func reuses() async {
        let house = DeliveryHouse()
        await house.run {
            for number in 1...5 {
                let id = house.accept(to: ["user\(number)@single.example"])
                await house.store.until { $0.removed.contains(id) }
                await house.untilIdleConnection()
            }
        }
        #expect(house.dialer.deliveries.count == 5)
        #expect(house.dialer.dials.count == 1)
    }

    @Test("a deferred message is tried again when its wait is over")
    func retries() async {
        let wasHere = Flag()
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            defer { wasHere.raise() }
            return !wasHere.isRaised
                ? .allRefused(transaction, Reply(450, EnhancedStatus(4, 2, 0), "greylisted"), command: "RCPT")
                : .allTaken(transaction)
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@single.example"])
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            #expect(house.store.contents.envelopes[id]?.recipients[0].progress.lastReply?.code == 450)
            let due = house.store.contents.envelopes[id]?.recipients[0].progress.nextAttempt
            #expect(due == house.clock.now + .seconds(300))
            await house.idle()
            house.clock.advance(by: .seconds(150))
            house.clock.advance(by: .seconds(151))
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.deliveries.count == 2)
    }

    @Test("a smarthost that restarts costs seconds: who met it goes on with who waits for it")
    func routeRestarts() async {
        let isBack = Flag()
        let dialer = ScriptedDialer(greeting: { _ throws(DialError) in
            guard isBack.isRaised else { throw .notConnected(detail: "refused") }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer) {
            $0.routes.setRoute(
                .smarthost(SmarthostRoute(hosts: [HostPort(host: "198.51.100.1", port: 25)])),
                for: "to.example")
        }
        await house.run {
            let tried = house.accept(to: ["a@to.example"])
            await house.store.until { $0.envelopes[tried]?.recipients[0].progress.attempts == 1 }
            await house.idle()
            house.accept(to: ["b@to.example"])
            isBack.raise()
            let begun = house.clock.now
            while house.dispatcher.status.waiting > 0, house.clock.now - begun < .seconds(4) {
                await house.pass(.milliseconds(250))
            }
            await house.idle()
            #expect(house.dialer.deliveries.count == 2)
        }
    }

    @Test(
        "a message that breaks its smarthost's connections waits its own time, and is not the first on each",
        arguments: [false, true])
    func breaksConnections(afterDot: Bool) async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            .allLost(transaction, afterDot: afterDot)
        })
        let house = DeliveryHouse(dialer: dialer) {
            $0.routes.setRoute(
                .smarthost(SmarthostRoute(hosts: [HostPort(host: "198.51.100.1", port: 25)])),
                for: "to.example")
        }
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            let due = house.store.contents.envelopes[id]?.recipients[0].progress.nextAttempt
            #expect(due == house.clock.now + .seconds(300))
        }
    }

    @Test("a refused recipient is reported to the sender, the others are delivered")
    func bounces() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            .each(transaction) {
                $0.mailbox.localPart == "gone"
                    ? .refused(Reply(550, EnhancedStatus(5, 1, 1), "no such user"), command: "RCPT")
                    : .delivered(Reply(250, nil, "ok"))
            }
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["gone@to.example", "here@to.example"])
            await house.store.until { $0.removed.count == 2 && $0.removed.contains(id) }
        }
        let report = house.dialer.deliveries.first { $0.transaction.reversePath == ReversePath.null }
        #expect(report?.transaction.recipients.map(\.mailbox) == [mailbox("sender@from.example")])
        let text = String(decoding: report?.content ?? [], as: UTF8.self)
        #expect(text.contains("Final-Recipient: rfc822; gone@to.example"))
        #expect(text.contains("Status: 5.1.1"))
        #expect(!text.contains("here@to.example"))
    }

    @Test("what a report cannot be delivered to is nobody's to hear of")
    func doubleBounce() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            .allRefused(transaction, Reply(550, EnhancedStatus(5, 1, 1), "no"), command: "RCPT")
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            house.accept(to: ["gone@to.example"])
            await house.store.until { $0.removed.count == 2 }
        }
        #expect(house.dialer.deliveries.count == 2)
        #expect(house.dispatcher.status.counters.doubleBounces == 1)
        #expect(house.events.lines.contains { $0.contains("\"doubleBounce\"") })
    }

    @Test("what was offered to another node is not attempted after a start")
    func leavesOffersAlone() async throws {
        let house = DeliveryHouse()
        let content = "x: y\r\n\r\n"
        var offered = house.envelope(to: ["a@to.example"], content: content)
        let heir = try #require(NodeID(octets: [UInt8](repeating: 1, count: 32)))
        offered.offered = Envelope.Handover(heir, epoch: 1)
        let own = house.envelope(to: ["b@to.example"], content: content)
        for envelope in [offered, own] { house.store.plant(envelope, content: Array(content.utf8)) }
        await house.run {
            _ = await Task.detached { try? house.dispatcher.rebuild() }.value
            #expect(house.dispatcher.status.messages == 1)
            house.clock.advance(by: .seconds(1))
            await house.store.until { $0.removed.count == 1 }
        }
        #expect(house.dialer.deliveries.map { $0.transaction.recipients[0].mailbox.localPart } == ["b"])
        #expect(house.store.contents.envelopes[offered.id] == offered)
    }

    @Test("a start delivers what the store holds, once, though the same mail arrives meanwhile")
    func rebuilds() async {
        let house = DeliveryHouse()
        var ids: [QueueID] = []
        for number in 0..<2_000 {
            let envelope = house.envelope(to: ["u\(number)@to.example"], content: "x: y\r\n\r\n")
            house.store.plant(envelope, content: Array("x: y\r\n\r\n".utf8))
            ids.append(envelope.id)
        }
        let planted = ids
        await house.run {
            async let rebuilt = Task.detached { try house.dispatcher.rebuild() }.value
            for id in planted.prefix(500) {
                if let envelope = house.store.contents.envelopes[id] {
                    house.dispatcher.arrived(envelope, content: [Array("x: y\r\n\r\n".utf8)])
                }
            }
            let report = try? await rebuilt
            #expect(report.map { $0.messages <= 2_000 } == true)
            house.clock.advance(by: .seconds(1))
            while house.store.contents.removed.count < 2_000 {
                house.clock.advance(by: .milliseconds(250))
                await Task.yield()
            }
        }
        #expect(house.dialer.deliveries.count == 2_000)
        #expect(
            Set(house.dialer.deliveries.map { $0.transaction.recipients[0].mailbox.localPart }).count == 2_000
        )
    }
}
