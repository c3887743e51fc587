import Delivery
import MailValues
import QueueEngine
import QueueStorage
import TestSupport
import Testing

@testable import RelayNode

@Suite("A leaving that is broken off", .serialized) struct LeavingBreakTests {
    /// When somebody's process ends, by what the leaver shows.
    enum Moment: String, Sendable, CaseIterable {
        case marking, giving, nearlyDone, confirming
        func hasCome(_ progress: LeavingProgress) -> Bool {
            switch self {
            case .marking: progress.phase == .giving && !progress.heirs.isEmpty
            case .giving: progress.handedOver >= 60
            case .nearlyDone: progress.handedOver >= 180
            case .confirming: progress.phase != .giving && progress.handedOver >= 200
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var moment: Moment
        var isHeir: Bool
        var weather: LeavingLink.Weather
        var testDescription: String {
            "\(isHeir ? "an heir" : "the leaver") at \(moment), of 1000 frames \(weather.lost) lost"
        }
    }

    static let cases: [Case] = Moment.allCases.flatMap { moment in
        [false, true].flatMap { isHeir in
            [
                Case(moment: moment, isHeir: isHeir, weather: LeavingLink.Weather()),
                Case(
                    moment: moment, isHeir: isHeir,
                    weather: LeavingLink.Weather(lost: 30, delayMost: .milliseconds(8), refused: 50)),
            ]
        }
    }

    @Test("at any moment, on either side, it loses nothing and goes on when called again", arguments: cases)
    func goesOn(_ sample: Case) async throws {
        let world = try LeavingWorldOfNodes(3, sample.weather)
        let leaver = world.nodes[0]
        let victim = world.nodes[sample.isHeir ? 1 : 0]
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<200)
        leaver.leave()
        for _ in 0..<2 {
            try await world.until("at \(sample.moment)") {
                sample.moment.hasCome(leaver.progress) || leaver.hasLeft
            }
            await victim.stop()
            guard !leaver.hasLeft else { break }
            try victim.start()
        }
        if !victim.isUp && !victim.hasLeft { try victim.start() }
        try await world.until("left") { leaver.hasLeft }
        if !leaver.isUp { try leaver.start() }
        for node in world.nodes where !node.isUp { try node.start() }
        try world.check(leaver: leaver)
        await world.stopAll()
    }

    @Test("a link that was cut for a while is used again")
    func bearsCuts() async throws {
        let world = try LeavingWorldOfNodes(2)
        let leaver = world.nodes[0]
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<200)
        leaver.leave()
        for part in 1...3 {
            try await world.until("under way") { leaver.progress.handedOver >= part * 40 }
            world.link.cut(leaver.id)
            let end = ContinuousClock.now + .milliseconds(300)
            try await world.until("quiet") { ContinuousClock.now > end }
            #expect(leaver.progress.phase == .giving)
            try world.check()
            world.link.cut(leaver.id, false)
        }
        try await world.until("left") { leaver.progress.phase == .left }
        try world.check(leaver: leaver)
        await world.stopAll()
    }

    @Test("what an heir has no room for goes to another")
    func goesToAnother() async throws {
        let world = try LeavingWorldOfNodes(3)
        let leaver = world.nodes[0]
        try world.nodes[0].start()
        try world.nodes[1].start(wrap: { FullStore($0) })
        try world.nodes[2].start()
        await world.fill(leaver, 0..<150)
        leaver.leave()
        try await world.until("left") { leaver.progress.phase == .left }
        try world.check(leaver: leaver)
        #expect(try world.nodes[1].holdings().own.isEmpty)
        #expect(try world.nodes[2].holdings().own.count == 150)
        await world.stopAll()
    }

    @Test(
        "whichever write fails, before or after it was done, on either side, nothing is lost",
        arguments: [false, true], [false, true])
    func bearsFaults(onHeir: Bool, afterwards: Bool) async throws {
        for call in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
            let world = try LeavingWorldOfNodes(2)
            let leaver = world.nodes[0]
            let faulty = world.nodes[onHeir ? 1 : 0]
            for node in world.nodes { try node.start() }
            await world.fill(leaver, 0..<80)
            await faulty.stop()
            var store: FaultyStore?
            try faulty.start(wrap: {
                let wrapped = FaultyStore($0, failingCall: call, afterwards: afterwards)
                store = wrapped
                return wrapped
            })
            leaver.leave()
            try await world.until("left, with fault \(call)") { leaver.progress.phase == .left }
            try world.check(leaver: leaver)
            await world.stopAll()
            if store?.hasFailed == false { break }
        }
    }

    @Test("mail that is delivered meanwhile goes out once, and reports that come of it go with the rest")
    func deliversMeanwhile() async throws {
        let world = try LeavingWorldOfNodes(3, LeavingLink.Weather(lost: 20))
        let leaver = world.nodes[0]
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<150)
        await world.fill(leaver, 150..<300, due: .zero)
        leaver.leave()
        try await world.until("left") { leaver.progress.phase == .left }
        // Heirs go on with what was due.
        let due = world.accepted.values.filter { $0.envelope.hold == nil && $0.number >= 150 }
        try await world.until("delivered") { world.delivered.count == due.count }
        try await world.until("at rest") {
            world.nodes.allSatisfy { $0.parts.dispatcher.status.inFlight == 0 }
        }
        try world.check(leaver: leaver)
        await world.stopAll()
    }

    @Test("who stays after all keeps what nobody took, and is rid of the rest")
    func stays() async throws {
        let world = try LeavingWorldOfNodes(2)
        let leaver = world.nodes[0]
        for node in world.nodes { try node.start() }
        await world.fill(leaver, 0..<200)
        leaver.leave()
        try await world.until("under way") { leaver.progress.handedOver >= 50 }
        leaver.stay()
        try await world.until("settled") {
            leaver.progress.phase == .staying && leaver.progress.heirs.isEmpty
        }
        let holdings = try leaver.holdings()
        #expect(holdings.marked.isEmpty && holdings.own.count < 160)
        #expect(leaver.parts.dispatcher.status.messages == holdings.own.count)
        try world.check()
        // And leaves again.
        leaver.leave()
        try await world.until("left") { leaver.progress.phase == .left }
        try world.check(leaver: leaver)
        await world.stopAll()
    }

    @Test("an heir that leaves in its turn tells another what it took, who answers for it")
    func bequeaths() async throws {
        let world = try LeavingWorldOfNodes(3)
        let (leaver, heir) = (world.nodes[0], world.nodes[1])
        try leaver.start()
        try heir.start()
        await world.fill(leaver, 0..<150)
        leaver.leave()
        try await world.until("under way") { leaver.progress.handedOver >= 40 }
        await leaver.stop()
        try world.nodes[2].start()
        heir.leave()
        try await world.until("the heir left") { heir.progress.phase == .left }
        await heir.depart()
        try leaver.start()
        try await world.until("left") { leaver.progress.phase == .left }
        let last = try world.nodes[2].holdings()
        #expect(last.own.count == 150 && last.marked.isEmpty)
        try world.check(leaver: leaver)
        await world.stopAll()
    }
}

/// Takes no new mail; everything else is the real store's.
final class FullStore: QueueStore {
    private let store: RocksQueue
    init(_ store: RocksQueue) { self.store = store }

    var intakeRefusal: StoreError? { .full }
    var deliveryRefusal: StoreError? { store.deliveryRefusal }
    var isCertain: Bool { store.isCertain }

    func commit(_ changes: [QueueChange], lane: any Lane, completion: @escaping StoreCompletion) {
        store.commit(changes, lane: lane, completion: completion)
    }
    func withdraw(_ id: QueueID) { store.withdraw(id) }
    func writeChunk(
        _ id: QueueID, number: UInt32, octets: [[UInt8]], lane: any Lane,
        completion: @escaping StoreCompletion
    ) { lane.run { completion(.failure(.full)) } }
    func dropChunks(_ id: QueueID, count: UInt32) { store.dropChunks(id, count: count) }
    func envelope(_ id: QueueID) throws(StoreError) -> Envelope? { try store.envelope(id) }
    func contentPiece(_ id: QueueID, number: UInt32) throws(StoreError) -> [UInt8]? {
        try store.contentPiece(id, number: number)
    }
    func scan(_ body: (Envelope) -> Bool) throws(StoreError) { try store.scan(body) }
    func ledger(_ id: QueueID) throws(StoreError) -> [LedgerLine] { try store.ledger(id) }
    func notes(under prefix: [UInt8], _ body: ([UInt8], [UInt8]) -> Bool) throws(StoreError) {
        try store.notes(under: prefix, body)
    }
}
