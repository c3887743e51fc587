import Foundation
import Membership
import Testing

@testable import ClusterSimulation

@Suite struct ScenarioTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "cluster/scenarios")

    static func scenario(_ name: String) throws -> Scenario {
        try JSONDecoder().decode(
            Scenario.self, from: Data(contentsOf: folder.appending(path: "\(name).json")))
    }

    @Test(
        "every promise holds in each scenario, on fixed seeds",
        arguments: ["kill", "freeze", "partition", "clone", "upgrade", "outage", "news", "hiding"],
        [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func holds(name: String, seed: UInt64) throws {
        let world = World(try Self.scenario(name), nodes: 5, seed: seed)
        #expect(world.run() == nil)
    }

    @Test("two hours with stalls and losses, and nobody dies falsely", arguments: [3, 5, 12])
    func calm(count: Int) throws {
        var scenario = try Self.scenario("stalls")
        scenario.seconds = 7_200
        let world = World(scenario, nodes: count, seed: 1)
        #expect(world.run() == nil)
        #expect(world.figures.octetsPerSecond.most < 10 * 1_024)
    }

    @Test("after an absence nothing that is gone rises again", arguments: [UInt64(1), 2])
    func absence(seed: UInt64) throws {
        // `simulate` plays its 25 hours as they are; here they pass in one.
        let hours = 25.0
        var scenario = try Self.scenario("absence")
        scenario.seconds /= hours
        scenario.factLifetime = scenario.factLifetime.map { $0 / hours }
        scenario.factsPerSecond = scenario.factsPerSecond.map { $0 * 5 }
        for index in (scenario.steps ?? []).indices {
            scenario.steps?[index].at /= hours
            scenario.steps?[index].spread? /= hours
        }
        let world = World(scenario, nodes: 5, seed: seed)
        #expect(world.run() == nil)
        #expect(world.news.count { $0.goneAt < world.now } > 200)
    }

    @Test("an urgent fact is known to forty nodes within a second, 50 ms apart and with losses")
    func news() throws {
        let world = World(try Self.scenario("news"), nodes: 40, seed: 1)
        #expect(world.run() == nil)
        #expect(try #require(Figures.percentile(0.99, of: world.figures.factsKnown)) <= 1_000)
    }

    @Test("the same seed gives the same run")
    func repeats() throws {
        let runs = try (0..<2).map { _ in
            let world = World(try Self.scenario("partition"), nodes: 7, seed: 11)
            _ = world.run()
            return "\(world.figures)"
        }
        #expect(runs[0] == runs[1])
    }

    @Test(
        "without the rules that were paid for, two healed sides keep each other dead",
        arguments: [[DetectorRule.deadAreProbed], [.deadAreTold, .viewsAreCompared]])
    func twinsOfTheDead(omitted: [DetectorRule]) throws {
        var settings = DetectorSettings()
        settings.omitted = Set(omitted)
        let broken = World(try Self.scenario("partition"), nodes: 5, seed: 1, settings: settings).run()
        #expect(broken?.promise == MembersAgree.name)
    }

    @Test("without helpers and forgiveness, stalls and losses kill who lives")
    func twinOfTheHasty() throws {
        var settings = DetectorSettings()
        settings.omitted = [.ownStallIsForgiven, .helpersAreAsked]
        settings.silenceShortest = .zero
        settings.suspicionShortest = .milliseconds(500)
        settings.suspicionLongest = .milliseconds(500)
        var scenario = try Self.scenario("stalls")
        scenario.seconds = 7_200
        let broken = World(scenario, nodes: 5, seed: 1, settings: settings).run()
        #expect(broken?.promise == NobodyDiesFalsely.name)
    }

    @Test(
        "without comparing words, who hears a hiding member first never learns of an order",
        arguments: [UInt64(1), 2, 3])
    func twinOfTheTrusting(seed: UInt64) throws {
        var settings = WordSettings()
        settings.patience = .seconds(86_400)
        let world = World(try Self.scenario("hiding"), nodes: 5, seed: seed, wordSettings: settings)
        #expect(world.run()?.promise == NoOrderIsMissing.name)
    }

    @Test("what one member hides, any other brings, and soon", arguments: [5, 12, 40])
    func hiding(count: Int) throws {
        let world = World(try Self.scenario("hiding"), nodes: count, seed: 1)
        #expect(world.run() == nil)
        #expect(try #require(world.figures.ordersAgreed.max()) < 15_000)
    }
}
