import MailValues
import QueueEngine
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("An operator's hand")
struct OperationTests {
    private func order(_ operation: QueueOperation, isDryRun: Bool = false) -> OperationOrder {
        OperationOrder(operation, by: "operator:0", reason: "test", isDryRun: isDryRun)
    }

    /// Ten messages that were deferred once, five for each of two senders.
    private func deferredHouse() -> DeliveryHouse {
        DeliveryHouse(
            dialer: ScriptedDialer(answering: { transaction, _, _ in
                transaction.reversePath == .null || transaction.dsnEnvelopeID == nil
                    ? .allTaken(transaction)
                    : .allRefused(transaction, Reply(450, nil, "later"), command: "RCPT")
            }))
    }

    private func fill(_ house: DeliveryHouse) async -> [QueueID] {
        let ids = (0..<10).map { number in
            house.accept(from: "s\(number % 2)@from.example", to: ["u\(number)@single.example"]) {
                $0.dsnEnvelopeID = "x"
            }
        }
        await house.store.until { contents in
            ids.allSatisfy { contents.envelopes[$0]?.recipients[0].progress.attempts == 1 }
        }
        await house.idle()
        return ids
    }

    @Test("a hold is durable, stops attempts, and a release lets go at once")
    func holdAndRelease() async throws {
        let house = deferredHouse()
        await house.run {
            let ids = await fill(house)
            let held = try? await house.dispatcher.carryOut(order(.hold), on: .all) {
                $0.envelope.reversePath.mailbox?.localPart == "s0"
            }
            #expect(held?.matched == 5 && held?.changed == 5)
            #expect(house.store.contents.envelopes[ids[0]]?.hold?.by == "operator:0")
            #expect(house.dispatcher.status.held == 5)
            let before = house.dialer.deliveries.count
            for _ in 0..<20 { await house.pass(.seconds(60)) }
            await house.dialer.until { $1 >= before + 5 }
            await house.idle()
            let senders = house.dialer.deliveries.dropFirst(before).compactMap {
                $0.transaction.reversePath.mailbox?.localPart
            }
            #expect(Set(senders) == ["s1"])
            let again = try? await house.dispatcher.carryOut(order(.hold), on: .ids([ids[0]]))
            #expect(again?.matched == 1 && again?.changed == 0 && again?.inapplicable == 1)
            let retried = try? await house.dispatcher.carryOut(order(.retry), on: .ids([ids[0]]))
            #expect(retried?.changed == 0 && retried?.inapplicable == 1)
            let released = try? await house.dispatcher.carryOut(order(.release), on: .ids([ids[0]]))
            #expect(released?.changed == 1)
            await house.store.until { $0.envelopes[ids[0]]?.recipients[0].progress.attempts == 2 }
            #expect(house.store.contents.envelopes[ids[0]]?.hold == nil)
            #expect(
                house.store.contents.ledger[ids[0]]?.contains {
                    String(decoding: $0.line, as: UTF8.self).contains("\"hold\"")
                } == true)
            await house.idle()
        }
    }

    @Test("a dry run counts and changes nothing", arguments: QueueOperation.allCases)
    func dryRun(operation: QueueOperation) async {
        let house = deferredHouse()
        await house.run {
            _ = await fill(house)
            let commits = house.store.contents.commitCount
            let report = try? await house.dispatcher.carryOut(order(operation, isDryRun: true), on: .all)
            #expect(report?.matched == 10)
            #expect(report?.changed == (operation == .release ? 0 : 10))
            #expect(house.store.contents.commitCount == commits)
        }
    }

    @Test("a retry does not wait for the message's moment nor for its site's rest")
    func retry() async {
        let house = deferredHouse()
        await house.run {
            let ids = await fill(house)
            let report = try? await house.dispatcher.carryOut(order(.retry), on: .ids([ids[3]]))
            #expect(report?.changed == 1)
            await house.store.until { $0.envelopes[ids[3]]?.recipients[0].progress.attempts == 2 }
            await house.idle()
        }
    }

    @Test(
        "whoever retries or bounces stands in the message's history, with the reason",
        arguments: [
            QueueOperation.retry, .bounce,
        ])
    func history(operation: QueueOperation) async {
        let house = deferredHouse()
        await house.run {
            let ids = await fill(house)
            _ = try? await house.dispatcher.carryOut(order(operation), on: .ids([ids[3]]))
            let lines = house.store.contents.ledger[ids[3]]?.map { String(decoding: $0.line, as: UTF8.self) }
            #expect(
                lines?.contains {
                    $0.contains("\"amendment\"") && $0.contains("operator:0") && $0.contains("\"test\"")
                } == true)
            await house.idle()
        }
    }

    @Test("a message that was never tried names what keeps its destination")
    func obstacle() async {
        let dialer = ScriptedDialer(greeting: { _ throws(DialError) in
            throw .notConnected(detail: "connection refused")
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let first = house.accept(to: ["a@single.example"])
            await house.store.until { $0.envelopes[first]?.recipients[0].progress.attempts == 1 }
            await house.idle()
            let second = house.accept(to: ["b@single.example"])
            while (try? house.dispatcher.item(second))??.state != .deferred { await Task.yield() }
            let item = (try? house.dispatcher.item(second)) ?? nil
            #expect(item?.envelope.recipients[0].progress.attempts == 0)
            #expect(item?.obstacle?.reply.code == 451)
        }
    }

    @Test("a bounce tells the sender, but not the operator's reason; a delete tells nobody")
    func bounceAndDelete() async {
        let house = deferredHouse()
        await house.run {
            let ids = await fill(house)
            let order = OperationOrder(.bounce, by: "operator:0", reason: "inside reason")
            let bounced = try? await house.dispatcher.carryOut(order, on: .ids([ids[0]]))
            #expect(bounced?.changed == 1)
            await house.dialer.until { $1 >= 11 }
            let deleted = try? await house.dispatcher.carryOut(
                self.order(.delete), on: .ids([ids[1], ids[2]]))
            #expect(deleted?.changed == 2)
            #expect(house.store.contents.envelopes[ids[1]] == nil)
            #expect(house.dispatcher.status.counters.deleted == 2)
        }
        let reports = house.dialer.deliveries.filter { $0.transaction.reversePath == .null }
        #expect(reports.count == 1)
        let text = String(decoding: reports.first?.content ?? [], as: UTF8.self)
        #expect(!text.contains("inside reason"))
        #expect(text.contains("the postmaster of this mail system") && !text.contains("The receiving system"))
        #expect(house.store.contents.envelopes.count == 7)
    }

    @Test("a message for many domains that is bounced makes one report, of all its recipients")
    func bounceOfMany() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            transaction.reversePath == .null
                ? .allTaken(transaction)
                : .allRefused(transaction, Reply(450, nil, "later"), command: "RCPT")
        })
        let resolver = ZoneResolver { zone in
            for number in 0..<30 { zone.addresses["d\(number).example"] = [address("192.0.2.\(number + 1)")] }
            zone.addresses["from.example"] = [address("192.0.2.99")]
        }
        let house = DeliveryHouse(resolver: resolver, dialer: dialer)
        await house.run {
            let id = house.accept(to: (0..<30).map { "u@d\($0).example" })
            await house.store.until { contents in
                contents.envelopes[id]?.recipients.allSatisfy { $0.progress.attempts == 1 } == true
            }
            await house.idle()
            let report = try? await house.dispatcher.carryOut(order(.bounce), on: .ids([id]))
            #expect(report?.changed == 1)
            #expect(house.store.contents.removed.contains(id))
            await house.dialer.until { $1 == 31 }
        }
        let reports = house.dialer.deliveries.filter { $0.transaction.reversePath == .null }
        #expect(reports.count == 1)
        let text = String(decoding: reports.first?.content ?? [], as: UTF8.self)
        for number in 0..<30 { #expect(text.contains("Final-Recipient: rfc822; u@d\(number).example\r\n")) }
        #expect(house.dispatcher.status.counters.bounced == 30)
        #expect(house.dispatcher.status.counters.reports == 1)
    }

    @Test("a message of which an attempt is in hand is left alone, and that is said")
    func busy() async {
        let gate = Gate()
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            await gate.pass()
            return .allTaken(transaction)
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@single.example"])
            await gate.untilSomebodyWaits()
            for operation in [QueueOperation.hold, .bounce, .delete] {
                let report = try? await house.dispatcher.carryOut(order(operation), on: .ids([id]))
                #expect(report?.busy == 1 && report?.changed == 0)
            }
            #expect((try? house.dispatcher.item(id))??.state == .inFlight)
            gate.open()
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.deliveries.count == 1)
    }

    @Test("a list goes on behind its cursor")
    func list() async throws {
        let house = deferredHouse()
        await house.run {
            let ids = await fill(house)
            let first = (try? house.dispatcher.list(limit: 4) { _ in true }) ?? []
            #expect(first.map(\.envelope.id) == Array(ids.prefix(4)))
            #expect(first.allSatisfy { $0.state == .deferred && $0.nextAttempt != nil })
            let next =
                (try? house.dispatcher.list(after: first.last?.envelope.id, limit: 100) { _ in true }) ?? []
            #expect(next.map(\.envelope.id) == Array(ids.dropFirst(4)))
            #expect(house.dispatcher.oldest == ids.first?.time)
        }
    }
}
