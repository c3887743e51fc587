import Delivery
import MailValues
import QueueEngine
import QueueStorage
import Synchronization
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

    @Test(
        "who has left attempts nothing, says so again after a start, and can be made fit for another membership"
    )
    func staysAway() async throws {
        let world = try LeavingWorldOfNodes(2)
        let leaver = world.nodes[0]
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<40)
        leaver.leave()
        try await world.until("left") { leaver.saidLeft.load(ordering: .relaxed) == 1 }
        await leaver.stop()
        try leaver.start()
        try await world.until("said again") { leaver.saidLeft.load(ordering: .relaxed) == 2 }
        #expect(leaver.progress.phase == .left && leaver.parts.dispatcher.status.messages == 0)
        await leaver.stop()
        try await leaver.withStore { store in
            #expect(await LeavingShell.forgetLeaving(in: store) == nil)
            var count = 0
            try store.scan { _ in
                count += 1
                return true
            }
            #expect(count == 0)
        }
        await world.stopAll()
    }

    @Test("what a member took that is dead for good goes to another, and is counted as perhaps twice")
    func disownsTheDead() async throws {
        let world = try LeavingWorldOfNodes(3)
        let (leaver, dead) = (world.nodes[0], world.nodes[1])
        try leaver.start()
        try dead.start()
        await world.fill(leaver, 0..<120)
        leaver.leave()
        try await world.until("under way") { leaver.progress.handedOver >= 40 }
        await dead.stop()
        try world.nodes[2].start()
        // Silent, it keeps what it took, or may have taken: that may be all, for it goes on while it is being stopped.
        try await world.until("given") {
            leaver.progress.heirs[world.nodes[2].id]?.taken ?? 0 > 0 || leaver.progress.messagesLeft == 0
        }
        #expect(leaver.progress.phase != .left)
        try await world.until("waits") { leaver.progress.waitsFor == .silent([dead.id]) }
        dead.evict()
        try await world.until("left") { leaver.progress.phase == .left }
        #expect(leaver.progress.possibleDuplicates >= 40)
        #expect(try world.nodes[2].holdings().own.count == 120)
        await world.stopAll()
    }

    @Test("a drained member is given nothing while another takes mail, and everything where none does")
    func sparesTheDrained() async throws {
        let world = try LeavingWorldOfNodes(3)
        let (leaver, drained, other) = (world.nodes[0], world.nodes[1], world.nodes[2])
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<100)
        leaver.parts.shell.member(drained.id, is: .drained)
        leaver.leave()
        try await world.until("left") { leaver.progress.phase == .left }
        #expect(try drained.holdings().own.isEmpty)
        #expect(try other.holdings().own.count == 100)
        other.parts.shell.member(leaver.id, is: .left)
        other.parts.shell.member(drained.id, is: .drained)
        other.leave()
        try await world.until("left too") { other.progress.phase == .left }
        #expect(try drained.holdings().own.count == 100)
        await world.stopAll()
    }

    @Test("a node in quarantine is no heir, until it is out of it")
    func refusesOffers() async throws {
        let world = try LeavingWorldOfNodes(2)
        let (leaver, heir) = (world.nodes[0], world.nodes[1])
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<30)
        heir.parts.shell.takesOffers(false)
        leaver.leave()
        try await world.until("refused") { leaver.progress.waitsFor == .noRoom }
        #expect(try heir.holdings().own.isEmpty && leaver.progress.messagesLeft == 30)
        heir.parts.shell.takesOffers(true)
        try await world.until("left") { leaver.progress.phase == .left }
        try world.check(leaver: leaver)
        await world.stopAll()
    }

    @Test("what was offered and not taken is counted, in this life of the leaver and in the next")
    func countsOffers() async throws {
        let world = try LeavingWorldOfNodes(2)
        let (leaver, heir) = (world.nodes[0], world.nodes[1])
        try leaver.start()
        try heir.start(wrap: { FullStore($0) })
        await world.fill(leaver, 0..<40)
        leaver.leave()
        try await world.until("offered") {
            leaver.progress.offered > 0 && leaver.progress.waitsFor == .noRoom
        }
        try await world.until("counted") {
            leaver.parts.dispatcher.status.messages + leaver.progress.offered == 40
        }
        await heir.stop()
        await leaver.stop()
        leaver.stay()
        try leaver.start()
        try await world.until("counted again") {
            leaver.progress.offered > 0
                && leaver.parts.dispatcher.status.messages + leaver.progress.offered == 40
        }
        try heir.start()
        try await world.until("ours again") { leaver.progress.offered == 0 }
        #expect(leaver.parts.dispatcher.status.messages == 40)
        leaver.leave()
        try await world.until("left") { leaver.progress.phase == .left }
        #expect(leaver.progress.handedOver == 40)
        try world.check(leaver: leaver)
        await world.stopAll()
    }

    @Test("who can give to nobody says why")
    func saysWhy() async throws {
        let world = try LeavingWorldOfNodes(2)
        let leaver = world.nodes[0]
        try leaver.start()
        await world.fill(leaver, 0..<20)
        leaver.leave()
        try await world.until("alone") { leaver.progress.waitsFor == .nobodyThere }
        try world.nodes[1].start(wrap: { FullStore($0) })
        try await world.until("refused") { leaver.progress.waitsFor == .noRoom }
        await world.nodes[1].stop()
        try world.nodes[1].start()
        try await world.until("left") { leaver.progress.phase == .left }
        #expect(leaver.progress.waitsFor == nil)
        await world.stopAll()
    }
}
