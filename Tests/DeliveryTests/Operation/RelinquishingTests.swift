import MailValues
import QueueEngine
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("Messages that another node is to have")
struct RelinquishingTests {
    private static let later = ScriptedDialer(answering: { transaction, _, _ in
        .allRefused(transaction, Reply(450, nil, "later"), command: "RCPT")
    })

    /// Deferred once.
    private func deferred(_ house: DeliveryHouse, count: Int) async -> [QueueID] {
        let ids = (0..<count).map { house.accept(to: ["u\($0)@single.example", "v\($0)@to.example"]) }
        await house.store.until { contents in
            ids.allSatisfy { id in
                contents.envelopes[id]?.recipients.allSatisfy { $0.progress.attempts == 1 } == true
            }
        }
        await house.idle()
        return ids
    }

    @Test("what is given out of the schedule is attempted no more, and again once it arrives")
    func isLeftAlone() async throws {
        let house = DeliveryHouse(dialer: Self.later)
        await house.run {
            let ids = await deferred(house, count: 4)
            let answer = house.dispatcher.relinquish([ids[0], ids[1]])
            #expect(answer == Dispatcher.Relinquished(fit: [ids[0], ids[1]]))
            #expect(house.dispatcher.status.messages == 2)
            #expect(house.dispatcher.relinquish([ids[0]]).gone == [ids[0]])
            let before = house.dialer.deliveries.count
            for _ in 0..<30 { await house.pass(.seconds(60)) }
            await house.dialer.until { $1 >= before + 4 }
            await house.idle()
            #expect(house.store.contents.envelopes[ids[0]]?.recipients[0].progress.attempts == 1)
            if let envelope = house.store.contents.envelopes[ids[0]] {
                house.dispatcher.arrived(envelope, content: [])
            }
            #expect(house.dispatcher.status.messages == 3)
        }
    }

    @Test("an attempt in hand is left alone; so is what an order is rewriting")
    func answersBusy() async throws {
        let gate = Gate()
        let house = DeliveryHouse(
            dialer: ScriptedDialer(answering: { transaction, _, _ in
                await gate.pass()
                return .allRefused(transaction, Reply(450, nil, "later"), command: "RCPT")
            }))
        await house.run {
            let id = house.accept(to: ["u@single.example"])
            await gate.untilSomebodyWaits()
            #expect(house.dispatcher.relinquish([id]).busy == [id])
            gate.open()
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            await house.idle()
            house.store.stall()
            async let held = house.dispatcher.carryOut(
                OperationOrder(.hold, by: "operator:0", reason: "test"), on: .ids([id]))
            while house.dispatcher.status.held == 0 { await Task.yield() }
            #expect(house.dispatcher.relinquish([id]).busy == [id])
            house.store.proceed()
            #expect((try? await held)?.changed == 1)
            // Held, it may go: the hold goes with it.
            #expect(house.dispatcher.relinquish([id]).fit == [id])
        }
    }

    @Test("a message under a mark is not scheduled, whoever brings it")
    func schedulesNoMarked() throws {
        let house = DeliveryHouse(dialer: Self.later)
        let node = try #require(NodeID(octets: [UInt8](repeating: 1, count: 32)))
        let envelope = house.envelope(to: ["u@single.example"], content: "x") {
            $0.offered = Envelope.Handover(node, epoch: 1)
        }
        house.store.plant(envelope, content: [])
        #expect(!house.dispatcher.isRebuilt)
        _ = try house.dispatcher.rebuild()
        #expect(house.dispatcher.isRebuilt && house.dispatcher.status.messages == 0)
        house.dispatcher.arrived(envelope, content: [])
        #expect(house.dispatcher.status.messages == 0)
    }
}
