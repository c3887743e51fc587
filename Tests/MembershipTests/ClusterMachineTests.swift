import Convergence
import Cryptography
import MailValues
import Testing

@testable import Membership

@Suite struct ClusterMachineTests {
    static let cluster = FrameTests.cluster

    static let key = Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: 32))!

    /// The first is the node under test.
    static func place(_ number: Int) -> NodeID { number == 1 ? key.node : node(number) }

    struct Seat {
        var machine: ClusterMachine
        var dice = Dice(state: 5)

        init(
            of count: Int, stored: UInt64 = 3, start: StartInquiry.Settings = StartInquiry.Settings()
        ) {
            let all = Dictionary(
                uniqueKeysWithValues: (1...count).map { (ClusterMachineTests.place($0), UInt64(0)) })
            machine = ClusterMachine(
                cluster: ClusterMachineTests.cluster, key: ClusterMachineTests.key, stored: stored, nonce: 1,
                admitted: all, facts: nil, startSettings: start, now: at(0))
        }

        mutating func handle(_ event: ClusterMachine.Event, at time: Int64) -> [ClusterMachine.Action] {
            var actions: [ClusterMachine.Action] = []
            machine.handle(
                event, now: ClockReading(uptime: at(time), wall: Timestamp(seconds: 0)), using: &dice,
                into: &actions)
            return actions
        }

        func frame(_ message: ProbeMessage, from number: Int, cluster: ClusterID? = nil) -> Frame {
            Frame(
                cluster: cluster ?? ClusterMachineTests.cluster,
                sender: Sender(
                    node: ClusterMachineTests.place(number), incarnation: 1, nonce: UInt64(number)),
                body: .probing(message))
        }
    }

    @Test("a node alone starts at once: it persists its incarnation before it speaks")
    func alone() {
        var seat = Seat(of: 1)
        #expect(
            seat.handle(.tick, at: 0)
                == [.persist(incarnation: 4), .started(incarnation: 4, storeIsOld: false)])
        #expect(seat.machine.sender.incarnation == 4)
    }

    @Test("a start asks, answers others that start too, hears nothing else, and speaks once it knows")
    func starts() {
        var seat = Seat(of: 3)
        #expect(
            seat.handle(.linkUp(node(2)), at: 10) == [.send(.probing(.askLastSeen), to: node(2))])
        let answers = seat.handle(
            .frame(seat.frame(.askLastSeen, from: 2), from: node(2), age: .zero), at: 20)
        guard case .send(.probing(.lastSeen(let seen)), node(2))? = answers.first else {
            Issue.record("\(answers)")
            return
        }
        #expect(seen.incarnation == 0 && seen.heardAgo == nil)
        let probe = seat.frame(.probe(number: 1, view: 1, claims: []), from: 2)
        #expect(seat.handle(.frame(probe, from: node(2), age: .zero), at: 30) == [])
        let said = LastSeen(incarnation: 9, nonce: 0, refutation: 0, state: .dead, heardAgo: nil)
        #expect(
            seat.handle(.frame(seat.frame(.lastSeen(said), from: 2), from: node(2), age: .zero), at: 40) == []
        )
        let actions = seat.handle(
            .frame(seat.frame(.lastSeen(said), from: 3), from: node(3), age: .zero), at: 50)
        #expect(
            actions.prefix(2) == [.persist(incarnation: 10), .started(incarnation: 10, storeIsOld: true)])
        #expect(seat.machine.state(of: node(2)) == .joining)
    }

    @Test(
        "a frame of another cluster, under another name, from a stranger or in our own name is counted and no more",
        arguments: FrameRefusal.allCases)
    func refuses(refusal: FrameRefusal) {
        for isStarted in [false, true] {
            var seat = Seat(of: 3)
            if isStarted { _ = seat.handle(.tick, at: 6_000) }
            #expect((seat.machine.detector != nil) == isStarted)
            let before = seat.machine.state(of: node(2))
            let message = ProbeMessage.rumours([Claim(node: node(2), incarnation: 5, state: .dead)])
            let (frame, peer): (Frame, Int) =
                switch refusal {
                case .otherCluster:
                    (
                        seat.frame(
                            message, from: 3, cluster: ClusterID(octets: [UInt8](repeating: 1, count: 16))!),
                        3
                    )
                case .otherName: (seat.frame(message, from: 2), 3)
                case .stranger: (seat.frame(message, from: 9), 9)
                case .ourselves: (seat.frame(message, from: 1), 1)
                }
            #expect(
                seat.handle(.frame(frame, from: Self.place(peer), age: .zero), at: 6_001)
                    == [.refused(refusal, from: Self.place(peer))])
            #expect(seat.machine.state(of: node(2)) == before)
        }
    }

    @Test(
        "evicted is who is turned away by two members for a while; one alone may be wrong, and once may be bad luck"
    )
    func turnedAway() {
        var seat = Seat(of: 3)
        #expect(seat.handle(.turnedAway(node(2)), at: 1) == [])
        #expect(seat.handle(.turnedAway(node(2)), at: 2) == [])
        #expect(seat.handle(.turnedAway(node(9)), at: 3) == [])
        #expect(seat.handle(.turnedAway(node(3)), at: 4) == [])
        #expect(!seat.handle(.tick, at: 3_003).contains(.evicted))
        #expect(seat.handle(.tick, at: 3_004).contains(.evicted))

        var lucky = Seat(of: 3)
        _ = lucky.handle(.turnedAway(node(2)), at: 1)
        _ = lucky.handle(.turnedAway(node(3)), at: 2)
        _ = lucky.handle(.linkUp(node(3)), at: 1_000)
        #expect(!lucky.handle(.tick, at: 3_100).contains(.evicted))
    }

    @Test("who is evicted while others have left hears it from the one that is there")
    func turnedAwayByOne() {
        var start = StartInquiry.Settings()
        start.absent = [node(3)]
        var seat = Seat(of: 3, start: start)
        _ = seat.handle(.turnedAway(node(2)), at: 1)
        #expect(seat.handle(.tick, at: 3_001).contains(.evicted))
    }

    @Test("a start says where it is beside each question")
    func saysWhere() {
        var start = StartInquiry.Settings()
        let place = LinkContact(address: IPAddress("192.0.2.7")!, controlPort: 7946, bulkPort: 7947)
        start.contact = place
        var seat = Seat(of: 3, start: start)
        #expect(
            seat.handle(.linkUp(node(2)), at: 10) == [
                .send(.contact(place), to: node(2)), .send(.probing(.askLastSeen), to: node(2)),
            ])
    }

    @Test(
        "a member is believed to be elsewhere only while it is not where it was: a copy draws no links to itself"
    )
    func moves() {
        let place = LinkContact(address: IPAddress("192.0.2.7")!, controlPort: 7946, bulkPort: 7947)
        for isStarted in [false, true] {
            var seat = Seat(of: 3)
            if isStarted { _ = seat.handle(.tick, at: 6_000) }
            let frame = Frame(
                cluster: Self.cluster,
                sender: Sender(node: node(2), incarnation: 0, nonce: 2, state: .joining),
                body: .contact(place))
            let heard = ClusterMachine.Event.frame(frame, from: node(2), age: .zero)
            _ = seat.handle(.linkUp(node(2)), at: 6_001)
            #expect(!seat.handle(heard, at: 6_002).contains(.moved(node(2), to: place)))
            _ = seat.handle(.linkDown(node(2)), at: 6_003)
            #expect(seat.handle(heard, at: 6_004).contains(.moved(node(2), to: place)))
        }
        // Others hear it although our link to it fell: it is there.
        var seat = Seat(of: 3)
        _ = seat.handle(.tick, at: 6_000)
        _ = seat.handle(
            .frame(seat.frame(.probe(number: 1, view: 1, claims: []), from: 2), from: node(2), age: .zero),
            at: 6_001)
        #expect(seat.machine.state(of: node(2)) == .alive)
        let frame = Frame(
            cluster: Self.cluster, sender: Sender(node: node(2), incarnation: 0, nonce: 9, state: .joining),
            body: .contact(place))
        #expect(
            !seat.handle(.frame(frame, from: node(2), age: .zero), at: 6_002)
                .contains(.moved(node(2), to: place)))
    }

    @Test(
        "a copy that asked while the member spoke is not believed when the member is away, another start is")
    func copyStaysOut() {
        let place = LinkContact(address: IPAddress("192.0.2.7")!, controlPort: 7946, bulkPort: 7947)
        var seat = Seat(of: 3)
        _ = seat.handle(.tick, at: 6_000)
        func say(_ body: Frame.Body, nonce: UInt64, at time: Int64) -> [ClusterMachine.Action] {
            let sender = Sender(node: node(2), incarnation: 0, nonce: nonce, state: .joining)
            let frame = Frame(cluster: Self.cluster, sender: sender, body: body)
            return seat.handle(.frame(frame, from: node(2), age: .zero), at: time)
        }
        for time in stride(from: Int64(6_100), through: 10_100, by: 500) {
            let probe = seat.frame(.probe(number: 1, view: 1, claims: []), from: 2)
            _ = seat.handle(.frame(probe, from: node(2), age: .zero), at: time)
            _ = say(.probing(.askLastSeen), nonce: 99, at: time + 10)
            #expect(!say(.contact(place), nonce: 99, at: time + 20).contains(.moved(node(2), to: place)))
        }
        _ = seat.handle(.linkRefused(node(2)), at: 10_200)
        for time in stride(from: Int64(10_300), through: 30_000, by: 100)
        where seat.machine.state(of: node(2)) != .dead {
            _ = seat.handle(.linkRefused(node(2)), at: time)
            _ = seat.handle(.tick, at: time)
        }
        #expect(seat.machine.state(of: node(2)) == .dead)
        #expect(!say(.contact(place), nonce: 99, at: 30_001).contains(.moved(node(2), to: place)))
        #expect(say(.contact(place), nonce: 98, at: 30_002).contains(.moved(node(2), to: place)))
    }

    @Test("a start that nobody hears for long says no more where it is")
    func contactEnds() {
        var start = StartInquiry.Settings()
        start.contact = LinkContact(address: IPAddress("192.0.2.7")!, controlPort: 7946, bulkPort: 7947)
        var seat = Seat(of: 3, start: start)
        _ = seat.handle(.linkUp(node(2)), at: 10)
        #expect(seat.handle(.tick, at: 59_000).count == 2)
        #expect(seat.handle(.tick, at: 61_000) == [.send(.probing(.askLastSeen), to: node(2))])
    }

    @Test("both phases meet every event")
    func everyPair() {
        let events: [ClusterMachine.Event] = [
            .tick, .linkUp(node(2)), .linkDown(node(2)), .linkRefused(node(2)), .turnedAway(node(2)),
            .admitted([Self.key.node: 1, node(2): 1]), .declare(.draining, within: nil),
        ]
        for event in events {
            var seat = Seat(of: 3)
            _ = seat.handle(event, at: 1)
            #expect(seat.machine.detector == nil)
            // Who reaches a member and does not hear it would go on asking.
            _ = seat.handle(.linkDown(node(2)), at: 2)
            _ = seat.handle(.tick, at: 6_000)
            _ = seat.handle(event, at: 6_001)
            #expect(seat.machine.detector != nil)
        }
    }
}
