import MailValues
import QueueEngine
import Testing

@testable import RelayNode

@Suite("A node that leaves", .serialized) struct LeavingShellTests {
    @Test("everything goes to the others, with progress, holds and octets as they were")
    func handsOver() async throws {
        let world = try LeavingWorldOfNodes(3)
        let leaver = world.nodes[0]
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<300)
        leaver.leave()
        try await world.until("left") { leaver.progress.phase == .left }
        #expect(leaver.progress.handedOver == 300 && leaver.progress.messagesLeft == 0)
        #expect(leaver.progress.heirs.count == 2 && leaver.progress.heirs.allSatisfy { $0.value.taken > 50 })
        try world.check(leaver: leaver)
        await world.stopAll()
    }
}
