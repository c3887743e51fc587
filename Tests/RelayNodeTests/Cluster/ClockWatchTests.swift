import Convergence
import Intake
import MailValues
import Membership
import Reputation
import Testing

@testable import RelayNode

@Suite("Clocks that were wrong")
struct ClockWatchTests {
    private func reading(_ uptime: Int64, ahead: Int64) -> ClockReading {
        ClockReading(
            uptime: Uptime(milliseconds: uptime),
            wall: Timestamp(milliseconds: 1_800_000_000_000 + uptime + ahead)
        )
    }

    @Test("a clock that is put back is seen once, at once or by and by; one that is put ahead is not")
    func sees() {
        var watch = ClockWatch()
        let day: Int64 = 86_400_000
        let steps: [(ahead: Int64, isBack: Bool)] = [
            (0, false), (200, false), (-300, false), (day, false), (day, false), (0, true), (0, false),
            (-600, false), (-1_200, true), (-1_200, false),
        ]
        for (second, step) in steps.enumerated() {
            #expect(
                watch.wentBack(reading(Int64(second) * 1_000, ahead: step.ahead)) == step.isBack, "\(second)")
        }
    }

    @Test("what a clock ahead had ended holds again once it is said again")
    func holdsAgain() {
        let world = KnowledgeFixture()
        let order = world.order(
            .block, KnowledgeFixture.network.octets, 7, expires: world.now + .seconds(3_600))
        world.knowledge.apply(orders: [order])
        #expect(world.knowledge.opinion(of: KnowledgeFixture.outside).consequence == .refuse)
        world.advance(.seconds(86_400))
        #expect(world.knowledge.opinion(of: KnowledgeFixture.outside).consequence == .none)
        world.advance(.seconds(-86_400))
        world.knowledge.apply(orders: [order])
        #expect(world.knowledge.opinion(of: KnowledgeFixture.outside).consequence == .refuse)
    }
}
