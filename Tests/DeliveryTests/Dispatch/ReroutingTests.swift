import DNSRecords
import Delivery
import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import TestSupport
import Testing

@Suite("A corrected route")
struct ReroutingTests {
    private static let dead = "198.51.100.1"
    private static let living = "198.51.100.2"

    private static func route(_ host: String, credentials: String? = nil) -> Route {
        .smarthost(SmarthostRoute(hosts: [HostPort(host: host, port: 25)], credentials: credentials))
    }

    private static func settings(_ adjust: (inout DeliverySettings) -> Void) -> DeliverySettings {
        var settings = DeliverySettings.example
        adjust(&settings)
        return settings
    }

    /// A house whose mail for to.example goes to a host that takes no connection, with a message that has
    /// met it and one that rests with it.
    private static func blockedHouse(_ body: (DeliveryHouse, [QueueID]) async -> Void) async -> DeliveryHouse
    {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            if target.address == address(dead) { throw .notConnected(detail: "refused") }
            return .everything
        })
        let house = DeliveryHouse(dialer: dialer) { $0.routes.setRoute(route(dead), for: "to.example") }
        await house.run {
            let tried = house.accept(to: ["a@to.example"])
            await house.store.until { $0.envelopes[tried]?.recipients[0].progress.attempts == 1 }
            await house.idle()
            let untried = house.accept(to: ["b@to.example"])
            #expect(house.dispatcher.status.waiting == 2)
            await body(house, [tried, untried])
        }
        return house
    }

    @Test("takes hold at once, for what waited for the old host and for what comes")
    func takesHold() async {
        let house = await Self.blockedHouse { house, ids in
            let before = house.dialer.dials.count
            house.dispatcher.apply(
                Self.settings { $0.routes.setRoute(Self.route(Self.living), for: "to.example") })
            let late = house.accept(to: ["c@to.example"])
            await house.pass(.milliseconds(250))
            await house.store.until { contents in
                (ids + [late]).allSatisfy { contents.removed.contains($0) }
            }
            #expect(house.dialer.dials.dropFirst(before).allSatisfy { $0.address == address(Self.living) })
            #expect(house.dispatcher.status.sitesResting == 0)
        }
        #expect(house.dialer.deliveries.count == 3)
    }

    @Test("wakes nobody whose own route stands")
    func othersRest() async {
        let house = await Self.blockedHouse { house, _ in
            let before = house.dialer.dials.count
            house.dispatcher.apply(
                Self.settings {
                    $0.routes.setRoute(Self.route(Self.dead), for: "to.example")
                    $0.routes.setRoute(Self.route(Self.living), for: "other.example")
                })
            await house.pass(.milliseconds(250))
            await house.pass(.milliseconds(250))
            #expect(house.dialer.dials.count == before)
            #expect(house.dispatcher.status.waiting == 2)
        }
        #expect(house.dialer.deliveries.isEmpty)
    }

    @Test("does not hurry what is not to go before its time")
    func notBefore() async {
        let house = DeliveryHouse { $0.routes.setRoute(Self.route(Self.dead), for: "to.example") }
        await house.run {
            house.accept(to: ["a@to.example"]) { $0.notBefore = house.clock.now + .seconds(3600) }
            house.dispatcher.apply(
                Self.settings { $0.routes.setRoute(Self.route(Self.living), for: "to.example") })
            await house.pass(.milliseconds(250))
            await house.pass(.milliseconds(250))
            #expect(house.dispatcher.status.waiting == 1)
        }
        #expect(house.dialer.dials.isEmpty)
    }

    @Test("a corrected password is tried at once, at the same host")
    func password() async {
        let dialer = ScriptedDialer(greeting: { target throws(DialError) in
            guard target.credentials?.password == "right" else {
                throw .refused(Reply(535, EnhancedStatus(5, 7, 8), "no"), during: "AUTH")
            }
            return .everything
        })
        func adjust(_ settings: inout DeliverySettings, password: String) {
            settings.routes.setRoute(Self.route(Self.living, credentials: "us"), for: "to.example")
            settings.credentials = ["us": DialTarget.Credentials(user: "us", password: password)]
        }
        let house = DeliveryHouse(dialer: dialer) { adjust(&$0, password: "wrong") }
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await house.store.until { $0.envelopes[id]?.recipients[0].progress.attempts == 1 }
            await house.idle()
            house.dispatcher.apply(Self.settings { adjust(&$0, password: "right") })
            await house.pass(.milliseconds(250))
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.deliveries.count == 1)
    }

    @Test("what was asked before it was written is not believed")
    func lookUpInFlight() async {
        let gate = Gate()
        let house = DeliveryHouse(
            resolver: ZoneResolver {
                $0.addresses["old.host.example"] = [address(Self.dead)]
            } asked: { name in
                if name == "old.host.example" { await gate.pass() }
            }
        ) { $0.routes.setRoute(Self.route("old.host.example"), for: "to.example") }
        await house.run {
            let id = house.accept(to: ["a@to.example"])
            await gate.untilSomebodyWaits()
            house.dispatcher.apply(
                Self.settings { $0.routes.setRoute(Self.route(Self.living), for: "to.example") })
            gate.open()
            await house.store.until { $0.removed.contains(id) }
        }
        #expect(house.dialer.dials.map(\.address) == [address(Self.living)])
    }
}
