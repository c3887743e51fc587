import Convergence
import MailValues
import Testing

@Suite("Agreement")
struct AgreementTests {
    @Test("after the heal nobody lacks a fact and nobody keeps one that is gone, on each of 200 seeds")
    func agrees() {
        for seed in UInt64(1)...200 {
            var world = SmallWorld(nodes: 3 + Int(seed % 3), seed: seed)
            world.live(ticks: 60)
            let rounds = world.settle()
            #expect(rounds != nil, "seed \(seed): no agreement")
        }
    }

    @Test("each rule is needed: its twin loses facts", arguments: Absence.allCases.filter { $0 != .none })
    func twinsLose(_ absent: Absence) {
        let seeds = UInt64(1)...10
        let lost = seeds.filter { seed in
            var world = SmallWorld(nodes: 4, seed: seed, without: absent)
            world.live(ticks: 60)
            return world.settle(rounds: 200) == nil
        }
        #expect(!lost.isEmpty, "all \(seeds.count) seeds agree without: \(absent.rawValue)")
    }
}
