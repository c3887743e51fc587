import DNSRecords
import MailValues
import QueueEngine
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("Dead destinations")
struct DeadDestinationTests {
    /// Hosts named `dead…` hang until they are given up; the others answer.
    private static func world(dead: Int, living: Int) -> DeliveryHouse {
        let resolver = ZoneResolver { zone in
            for number in 0..<dead {
                zone.mx["dead\(number).example"] = [
                    MXRecord(preference: 0, exchange: "dead\(number).mx.example")
                ]
                zone.addresses["dead\(number).mx.example"] = [.v4(0xC633_6400 + UInt32(number))]
            }
            for number in 0..<living {
                zone.mx["living\(number).example"] = [
                    MXRecord(preference: 0, exchange: "living\(number).mx.example")
                ]
                zone.addresses["living\(number).mx.example"] = [.v4(0xC000_0200 + UInt32(number))]
            }
        }
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.hostName.hasPrefix("dead") {
                await Cancellation.wait()
                throw .notConnected(detail: "given up")
            }
            return .everything
        })
        return DeliveryHouse(resolver: resolver, dialer: dialer)
    }

    @Test("two thousand hosts that swallow every connection keep no living one waiting")
    func livingGoOn() async {
        let house = Self.world(dead: 2_000, living: 20)
        var passed = 0
        await house.run {
            for number in 0..<2_000 { house.accept(to: ["u@dead\(number).example"]) }
            for number in 0..<400 { house.accept(to: ["u\(number)@living\(number % 20).example"]) }
            while house.store.contents.removed.count < 400, passed < 240 {
                await house.pass(.milliseconds(250))
                for _ in 0..<200 { await Task.yield() }
                passed += 1
            }
        }
        #expect(house.store.contents.removed.count == 400)
        // The living stand behind the dead in the line for first connections: as long as those take to be
        // slow.
        #expect(passed < 120, "half a minute at most: \(passed)")
        #expect(house.dispatcher.status.counters.connections >= 20)
    }

    @Test("a destination that is new does not wait for thousands of dead ones that came before")
    func newcomers() async {
        let house = Self.world(dead: 6_000, living: 5)
        func pass() async {
            await house.pass(.milliseconds(250))
            for _ in 0..<200 { await Task.yield() }
        }
        var passed = 0
        await house.run {
            for number in 0..<6_000 { house.accept(to: ["u@dead\(number).example"]) }
            for _ in 0..<40 { await pass() }
            for number in 0..<5 { house.accept(to: ["u@living\(number).example"]) }
            while house.store.contents.removed.count < 5, passed < 120 {
                await pass()
                passed += 1
            }
        }
        #expect(house.store.contents.removed.count == 5)
        #expect(passed <= 10, "until those that came last before them are slow: \(passed)")
        #expect(house.dispatcher.status.counters.sitesFailed < 2_000, "who gives way has not failed")
    }

    @Test("living sites take nothing from their shares to the dead, once they are known")
    func knownLiving() async {
        let house = Self.world(dead: 1_000, living: 1)
        await house.run {
            let first = house.accept(to: ["first@living0.example"])
            await house.store.until { $0.removed.contains(first) }
            for number in 0..<1_000 { house.accept(to: ["u@dead\(number).example"]) }
            let ids = (0..<100).map { house.accept(to: ["u\($0)@living0.example"]) }
            // No time passes: nothing of the dead has to end first.
            await house.store.until { contents in ids.allSatisfy { contents.removed.contains($0) } }
        }
        #expect(house.dispatcher.status.counters.delivered == 101)
    }
}

/// Ends when the task is cancelled.
enum Cancellation {
    static func wait() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }
}
