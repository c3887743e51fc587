import DNSRecords
import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import TestSupport
import Testing

@testable import Delivery

@Suite("Host after host")
struct HostChoiceTests {
    @Test("hosts that do not answer are passed over, best rank first")
    func nextHost() async {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.hostName != "mx3.to.example" { throw .notConnected(detail: "refused") }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(Set(house.dialer.dials.prefix(2).map(\.hostName)) == ["mx1.to.example", "mx2.to.example"])
        #expect(house.dialer.deliveries.map(\.target.hostName) == ["mx3.to.example"])
    }

    @Test("a 421 in the midst of a first message leads to the next host, with the recipients that are left")
    func closingHost() async {
        let dialer = ScriptedDialer(answering: { transaction, _, target in
            target.hostName == "mx3.to.example"
                ? .allTaken(transaction)
                : .allRefused(
                    transaction, Reply(421, nil, "closing"), command: "MAIL", connectionUsable: false)
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@to.example", "b@to.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.deliveries.count == 3)
        #expect(house.dialer.deliveries.last?.transaction.recipients.count == 2)
    }

    @Test("when all hosts turn us away the message waits, and says why")
    func allTurnAway() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            .allRefused(
                transaction, Reply(421, EnhancedStatus(4, 7, 0), "too much"), command: "MAIL",
                connectionUsable: false)
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            let progress = house.store.contents.envelopes[id]?.recipients[0].progress
            #expect(progress?.lastReply?.enhanced == EnhancedStatus(4, 7, 0))
            #expect(progress?.state == .waiting)
            await house.idle()
        }
        #expect(house.dialer.deliveries.count == 3)
        #expect(house.dispatcher.status.sitesResting == 1)
    }

    @Test("a host that is full hides none that has room")
    func fullHost() async {
        let full = Reply(452, EnhancedStatus(4, 3, 1), "Insufficient system storage")
        let dialer = ScriptedDialer(answering: { transaction, _, target in
            target.hostName == "mx3.to.example"
                ? .allTaken(transaction) : .allRefused(transaction, full, command: "MAIL")
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@to.example", "b@to.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.deliveries.last?.target.hostName == "mx3.to.example")
        #expect(house.dialer.deliveries.count == 3 && house.dialer.openMost == 1)
        // Who is left in the middle of a good session hears QUIT.
        #expect(house.dialer.quitCount == 3)
        #expect(house.dispatcher.status.counters.deferred == 0)
    }

    @Test("where all are full the message waits; so many are asked, and the last connection goes on")
    func allFull() async {
        let full = Reply(452, EnhancedStatus(4, 3, 1), "Insufficient system storage")
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            transaction.sizeOctets > 100
                ? .allRefused(transaction, full, command: "MAIL") : .allTaken(transaction)
        })
        let house = DeliveryHouse(dialer: dialer) { $0.hostsPerAttempt = 2 }
        await house.run {
            let big = house.accept(to: ["a@to.example"]) { $0.sizeOctets = 1000 }
            await house.store.until { $0.envelopes[big]?.recipients[0].progress.attempts == 1 }
            await house.idle()
            let progress = house.store.contents.envelopes[big]?.recipients[0].progress
            #expect(progress?.lastReply == full && progress?.lastHost?.hasSuffix(".to.example") == true)
            let small = house.accept(to: ["a@to.example"])
            await house.store.until { $0.removed.contains(small) }
        }
        #expect(house.dialer.deliveries.count == 3)
        #expect(house.dialer.dials.count == 2)
        #expect(house.dispatcher.status.sitesResting == 0)
    }

    @Test("a failed handshake is tried again in clear on the same host where TLS is a bonus, and counted")
    func clearFallback() async {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.tls != .none { throw .tlsFailed(detail: "handshake") }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@single.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.dials.map(\.tls) == [.may, .none])
        #expect(house.dispatcher.status.counters.clearFallbacks == 1)
    }

    @Test("words put in front of a handshake are an attack: the host is passed over, and not tried in clear")
    func noFallbackAfterInjection() async {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.hostName != "mx3.to.example" { throw .broken(detail: "words in clear") }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.dials.map(\.tls) == [.may, .may, .may])
        #expect(house.dispatcher.status.counters.clearFallbacks == 0)
    }

    @Test("where TLS is required nothing is ever sent in clear", arguments: [RouteTLS.require, .verify])
    func neverInClear(mode: RouteTLS) async {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.tls != .none { throw .tlsFailed(detail: "handshake") }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer) { $0.routes.setTLS(mode, for: "to.example") }
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            await house.idle()
        }
        #expect(house.dialer.deliveries.isEmpty)
        #expect(!house.dialer.dials.isEmpty && house.dialer.dials.allSatisfy { $0.tls != .none })
    }

    @Test("a connection that went stale while idle costs nothing but a new one")
    func stale() async {
        let dialer = ScriptedDialer(answering: { transaction, number, _ in
            number == 0 ? .allTaken(transaction) : .allLost(transaction, afterDot: false)
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            for _ in 0..<3 {
                let id = house.accept(to: ["a@single.example"])
                await house.store.until { $0.removed.contains(id) }
                await house.untilIdleConnection()
            }
        }
        #expect(house.dispatcher.status.counters.delivered == 3)
        #expect(house.dispatcher.status.counters.deferred == 0)
    }

    @Test("what was lost behind the dot is tried later, not elsewhere, and counted")
    func lostBehindDot() async {
        let dialer = ScriptedDialer(answering: { transaction, _, _ in .allLost(transaction, afterDot: true) })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@single.example"])
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            await house.idle()
            // Whoever looks into a possible duplicate needs to know where it may lie.
            #expect(
                house.store.contents.envelopes[id]?.recipients[0].progress.lastHost == "mx.single.example")
            let lines = house.store.contents.ledger[id]?.map { String(decoding: $0.line, as: UTF8.self) }
            let deferral = lines?.first { $0.contains("\"deferral\"") }
            #expect(deferral?.contains("\"host\":\"mx.single.example\"") == true)
            #expect(deferral?.contains("\"address\":\"192.0.2.20\"") == true)
        }
        #expect(house.dialer.deliveries.count == 1)
        #expect(house.dispatcher.status.counters.possibleDuplicates == 1)
    }

    @Test("a host that says it never takes mail has it returned", arguments: [521, 556] as [UInt16])
    func noMail(code: UInt16) async {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.hostName.hasSuffix("to.example") {
                throw .refused(Reply(code, EnhancedStatus(5, 3, 2), "no mail here"), during: "greeting")
            }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dispatcher.status.counters.bounced == 1)
    }

    @Test("any other refusal in a greeting waits", arguments: [421, 450, 554] as [UInt16])
    func greetingRefusals(code: UInt16) async {
        let dialer = ScriptedDialer(greeting: { _ throws(DialError) in
            throw .refused(Reply(code, nil, "go away"), during: "greeting")
        })
        let house = DeliveryHouse(dialer: dialer)
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            #expect(house.store.contents.envelopes[id]?.recipients[0].progress.lastReply?.code == code)
            await house.idle()
        }
        #expect(Set(house.dialer.dials.map(\.hostName)).count == 3)
    }

    @Test("an MX that points at us, at loopback or at a private network is never dialled")
    func neverInward() async {
        let resolver = ZoneResolver { zone in
            zone.mx["loop.example"] = [.init(preference: 0, exchange: "relay.ours.example")]
            zone.mx["lo.example"] = [.init(preference: 0, exchange: "lo.mx.example")]
            zone.addresses["lo.mx.example"] = [
                address("127.0.0.1"), address("::1"), address("::ffff:127.0.0.1"),
            ]
            zone.mx["ten.example"] = [.init(preference: 0, exchange: "ten.mx.example")]
            zone.addresses["ten.mx.example"] = [address("10.0.0.1")]
        }
        let house = DeliveryHouse(resolver: resolver)
        await house.run {
            for domain in ["loop", "lo", "ten"] { house.accept(from: nil, to: ["a@\(domain).example"]) }
            await house.store.until { $0.removed.count == 3 }
        }
        #expect(house.dialer.dials.isEmpty)
    }
}
