import MailValues
import QueueEngine
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("Messages that cannot be read from our own disk")
struct DamagedContentTests {
    @Test(
        "such a message is held with the reason, neither tried again nor returned, and goes once it is released"
    )
    func holds() async throws {
        let house = DeliveryHouse()
        let envelope = house.envelope(to: ["a@single.example"], content: "A: b\r\n\r\n")
        house.store.plant(envelope, content: Array("A: b\r\n\r\n".utf8))
        house.store.damage(envelope.id)
        await house.run {
            house.dispatcher.arrived(envelope, content: [])
            await house.store.until { $0.envelopes[envelope.id]?.hold != nil }
            await house.idle()
            let held = house.store.contents.envelopes[envelope.id]
            #expect(held?.hold?.by == "store" && held?.hold?.reason.contains("000012.blob") == true)
            #expect(held?.recipients[0].progress.state == .waiting)
            #expect(house.dispatcher.status.held == 1)
            let dials = house.dialer.dials.count
            // Longer than any message is tried for.
            for _ in 0..<30 { await house.pass(.seconds(86_400)) }
            #expect(house.dialer.dials.count == dials)
            #expect(house.dispatcher.status.counters.bounced == 0)
            #expect(house.dispatcher.status.counters.unreadable == 1)

            house.store.damage(envelope.id, false)
            let order = OperationOrder(.release, by: "operator:0", reason: "restored")
            _ = try? await house.dispatcher.carryOut(order, on: .ids([envelope.id]))
            await house.store.until { $0.removed.contains(envelope.id) }
        }
    }

    @Test("a peer without SMTPUTF8 is no reason to return what cannot be read")
    func withholdsFromPreflight() async {
        let house = DeliveryHouse()
        let envelope = house.envelope(to: ["a@single.example"], content: "A: b\r\n\r\n") {
            $0.smtpUTF8 = true
        }
        house.store.plant(envelope, content: Array("A: b\r\n\r\n".utf8))
        house.store.damage(envelope.id)
        await house.run {
            house.dispatcher.arrived(envelope, content: [])
            await house.store.until { $0.envelopes[envelope.id]?.hold != nil }
            await house.idle()
        }
        #expect(house.dispatcher.status.counters.bounced == 0)
        #expect(house.store.contents.envelopes[envelope.id]?.recipients[0].progress.state == .waiting)
    }
}
