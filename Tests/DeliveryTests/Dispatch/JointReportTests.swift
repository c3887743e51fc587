import DNSRecords
import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import Delivery

@Suite("One report of many destinations")
struct JointReportTests {
    private static let no = Reply(550, EnhancedStatus(5, 1, 1), "no")

    private static var resolver: ZoneResolver {
        ZoneResolver { zone in
            for number in 0..<6 { zone.addresses["d\(number).example"] = [address("192.0.2.\(number + 1)")] }
            zone.addresses["from.example"] = [address("192.0.2.99")]
        }
    }

    private static let recipients = (0..<6).map { "u@d\($0).example" }

    private func reports(_ house: DeliveryHouse) -> [String] {
        house.dialer.deliveries.filter { $0.transaction.reversePath == .null }.map {
            String(decoding: $0.content, as: UTF8.self)
        }
    }

    private func named(in report: String) -> [Int] {
        (0..<6).filter { report.contains("Final-Recipient: rfc822; u@d\($0).example\r\n") }
    }

    @Test("domains that refuse in the same round are told of together, with the last of them")
    func sameRound() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            transaction.reversePath == .null
                ? .allTaken(transaction) : .allRefused(transaction, Self.no, command: "RCPT")
        })
        let house = DeliveryHouse(resolver: Self.resolver, dialer: dialer)
        await house.run {
            let id = house.accept(to: Self.recipients)
            await house.store.until { $0.removed.contains(id) }
            await house.dialer.until { $1 == 7 }
            // Each destination has its own line, with the host that said so.
            let lines =
                house.store.contents.ledger[id]?.map { String(decoding: $0.line, as: UTF8.self) } ?? []
            let bounces = lines.filter { $0.contains("\"bounce\"") }
            #expect(bounces.count == 6)
            #expect(bounces.allSatisfy { $0.contains("\"address\"") })
        }
        #expect(reports(house).map(named) == [[0, 1, 2, 3, 4, 5]])
        #expect(house.dispatcher.status.counters.bounced == 6)
    }

    @Test("who is served is recorded at once; the report does not wait long for a slow one")
    func slowSibling() async {
        let gate = Gate()
        let dialer = ScriptedDialer(answering: { transaction, _, target in
            if transaction.reversePath == .null || target.address == address("192.0.2.1") {
                return .allTaken(transaction)
            }
            if target.address == address("192.0.2.6") { await gate.pass() }
            return .allRefused(transaction, Self.no, command: "RCPT")
        })
        let house = DeliveryHouse(resolver: Self.resolver, dialer: dialer)
        await house.run {
            let id = house.accept(to: Self.recipients)
            await gate.untilSomebodyWaits()
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.state == .delivered }
            while house.dispatcher.state.withLock({ $0.gathered[id]?.count ?? 0 }) < 4 { await Task.yield() }
            // Nobody of the others is called refused while the report of it may still grow.
            #expect(
                house.store.contents.envelopes[id]?.recipients.dropFirst().allSatisfy {
                    $0.progress.state == .waiting
                } == true)
            await house.pass(.seconds(6))
            await house.store.until {
                $0.envelopes[id]?.recipients[1...4].allSatisfy { $0.progress.state == .bounced } == true
            }
            gate.open()
            await house.store.until { $0.removed.contains(id) }
            await house.dialer.until { $1 == 8 }
        }
        #expect(Set(reports(house).map(named)) == [[1, 2, 3, 4], [5]])
    }

    @Test("who waits for a later attempt keeps nobody's report back")
    func waitingSibling() async {
        let dialer = ScriptedDialer(answering: { transaction, _, target in
            if transaction.reversePath == .null { return .allTaken(transaction) }
            let isLater = target.address == address("192.0.2.1")
            return .allRefused(transaction, isLater ? Reply(450, nil, "later") : Self.no, command: "RCPT")
        })
        let house = DeliveryHouse(resolver: Self.resolver, dialer: dialer)
        await house.run {
            let id = house.accept(to: Array(Self.recipients.prefix(2)))
            await house.store.until { contents in
                contents.envelopes[id]?.recipients.map(\.progress.state) == [.waiting, .bounced]
                    && contents.envelopes[id]?.recipients[0].progress.attempts == 1
            }
            await house.idle()
        }
        #expect(house.dispatcher.status.counters.reports == 1)
    }

    @Test("destinations whose time is up together are told of together")
    func expiry() async {
        let dialer = ScriptedDialer(
            greeting: { target throws(DialError) in
                if target.address != address("192.0.2.99") { throw .notConnected(detail: "refused") }
                return .everything
            })
        let house = DeliveryHouse(resolver: Self.resolver, dialer: dialer)
        await house.run {
            let id = house.accept(to: Self.recipients) { $0.deadline = house.clock.now + .seconds(600) }
            while !house.store.contents.removed.contains(id) {
                await house.pass(.seconds(1))
                await house.idle()
            }
            await house.store.until { $0.envelopes.isEmpty }
        }
        #expect(reports(house).map(named) == [[0, 1, 2, 3, 4, 5]])
        #expect(house.dispatcher.status.counters.expired == 6)
    }

    @Test("a stop does not forget what hosts have said")
    func stopped() async {
        let gate = Gate()
        let dialer = ScriptedDialer(answering: { transaction, _, target in
            if target.address == address("192.0.2.1") { await gate.pass() }
            return .allRefused(transaction, Self.no, command: "RCPT")
        })
        let house = DeliveryHouse(resolver: Self.resolver, dialer: dialer)
        var id: QueueID?
        await house.run {
            let accepted = house.accept(to: Array(Self.recipients.prefix(3)))
            id = accepted
            while house.dispatcher.state.withLock({ $0.gathered[accepted]?.count ?? 0 }) < 2 {
                await Task.yield()
            }
            house.dispatcher.stop(grace: .seconds(1))
            await house.store.until {
                $0.envelopes[accepted]?.recipients.dropFirst().allSatisfy {
                    $0.progress.state == .bounced
                } == true
            }
            gate.open()
        }
        // One for those two, one for the third, which ended alone.
        #expect(house.store.contents.envelopes.values.filter { $0.reversePath == .null }.count == 2)
        #expect(id.map { house.store.contents.removed.contains($0) } == true)
    }

    @Test("where the store takes no report, nothing of the joint outcome is recorded as over")
    func noRoom() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            transaction.reversePath == .null
                ? .allTaken(transaction) : .allRefused(transaction, Self.no, command: "RCPT")
        })
        let house = DeliveryHouse(resolver: Self.resolver, dialer: dialer)
        await house.run {
            let envelope = house.envelope(to: Self.recipients, content: "A: b\r\n\r\n")
            house.store.plant(envelope, content: Array("A: b\r\n\r\n".utf8))
            house.store.intakeRefusal = .full
            house.dispatcher.arrived(envelope, content: [])
            await house.store.until { contents in
                contents.envelopes[envelope.id]?.recipients.allSatisfy { $0.progress.attempts == 1 } == true
            }
            await house.idle()
            #expect(
                house.store.contents.envelopes[envelope.id]?.recipients.allSatisfy {
                    $0.progress.state == .waiting && $0.progress.nextAttempt != nil
                } == true)
            #expect(house.dispatcher.status.waiting == 6)
            house.store.intakeRefusal = nil
            while !house.store.contents.removed.contains(envelope.id) { await house.pass(.seconds(60)) }
            await house.store.until { $0.envelopes.isEmpty }
        }
        #expect(reports(house).flatMap(named).sorted() == [0, 1, 2, 3, 4, 5])
        #expect(house.dispatcher.status.counters.bounced == 6)
    }
}
