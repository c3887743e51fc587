import Filtering
import MailValues
import Reputation
import RoutingPolicy
import SMTPProtocol
import Synchronization
import Telemetry
import Testing

@testable import Intake

/// Says what a test tells it to, and keeps what it is told.
final class StubGate: IntakeGate {
    struct Said: Equatable {
        var kind: Counters.Kind
        var amount: Int
        var sender: GateSender
    }

    private struct State {
        var edition: UInt64 = 1
        var client = GateOpinion.nothing
        var account = GateOpinion.nothing
        var verdict = VerdictOpinion.nothing
        var counted: [Said] = []
        var asked = 0
        var shown: [[Fingerprint]] = []
    }
    private let state = Mutex(State())

    func think(
        of client: GateOpinion? = nil, ofAccount account: GateOpinion? = nil, verdict: VerdictOpinion? = nil
    ) {
        state.withLock { state in
            state.edition += 1
            if let client { state.client = client }
            if let account { state.account = account }
            if let verdict { state.verdict = verdict }
        }
    }

    var counted: [Said] { state.withLock { $0.counted } }
    /// How often it was asked about a client.
    var asked: Int { state.withLock { $0.asked } }
    var shown: [[Fingerprint]] { state.withLock { $0.shown } }

    var edition: UInt64 { state.withLock { $0.edition } }
    func opinion(of client: IPAddress) -> GateOpinion {
        state.withLock { state in
            state.asked += 1
            return state.client
        }
    }
    func opinion(ofAccount name: String) -> GateOpinion { state.withLock { $0.account } }
    func opinion(of fingerprints: [Fingerprint]) -> VerdictOpinion {
        state.withLock { state in
            state.shown.append(fingerprints)
            return state.verdict
        }
    }
    func count(_ kind: Counters.Kind, _ amount: Int, by sender: GateSender) {
        state.withLock { $0.counted.append(Said(kind: kind, amount: amount, sender: sender)) }
    }
}

@Suite("The gate")
struct GateTests {
    private let gate = StubGate()

    private func house(_ rule: GateRule, slowing: Slowing = Slowing(pause: { _ in })) -> IntakeHouse {
        IntakeHouse {
            $0.gate = gate
            $0.reputation = rule
            $0.slowing = slowing
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let opinion: GateOpinion
        let rule: GateRule
        let code: UInt16?
        var testDescription: String { "\(opinion.consequence) by \(opinion.cause), \(rule)" }

        init(
            _ consequence: Standing.Consequence, _ cause: GateOpinion.Cause, _ rule: GateRule, _ code: UInt16?
        ) {
            opinion = GateOpinion(consequence, cause)
            self.rule = rule
            self.code = code
        }
    }

    @Test(
        "who is refused hears it in place of the greeting, where the listener wants that or the operator orders it",
        arguments: [
            Case(.none, .reputation, .refuse, nil), Case(.refuse, .reputation, .refuse, 554),
            Case(.refuse, .reputation, .note, nil), Case(.refuse, .agreed, .off, nil),
            Case(.refuse, .order, .note, 554), Case(.refuse, .order, .slow, 554),
            Case(.refuse, .order, .off, nil),
        ])
    func connection(_ sample: Case) {
        gate.think(of: sample.opinion)
        let house = house(sample.rule)
        let guest = house.guest(from: IntakeHouse.foreign)
        let answer = guest.ask(.connection)
        #expect(answer?.refusalCode == sample.code)
        guest.session.disconnected()
        #expect(house.census.total == 0)
        #expect(gate.asked == (sample.rule == .off ? 0 : 1))
        if sample.opinion.consequence == .refuse {
            let metrics = house.metrics
            #expect(metrics.gateRefused.sum == (sample.code == nil ? 0 : 1))
            #expect(metrics.gateNoted.sum == (sample.rule == .note && sample.code == nil ? 1 : 0))
        }
    }

    @Test("the refusal says what it is and whom to ask, and nothing of how we know")
    func words() {
        gate.think(of: GateOpinion(.refuse, .order))
        let answer = house(.slow).guest(from: IntakeHouse.foreign).ask(.connection)
        #expect(
            answer
                == .refuse(
                    Reply(
                        554, EnhancedStatus(5, 7, 1),
                        "Mail from 198.51.100.9 is blocked here; ask postmaster@example.test")))
    }

    @Test("a slow one waits for its greeting and for each transaction, and is served then")
    func slow() async {
        gate.think(of: GateOpinion(.refuse, .reputation))
        let pauses = Pauses()
        let house = house(.slow, slowing: Slowing(pause: { await pauses.pause($0) }))
        let guest = house.guest()
        #expect(guest.askOnly(.connection) == nil)
        pauses.endOne()
        await guest.workUntilAnswered()
        #expect(guest.lastAnswer == .accept)
        #expect(
            guest.askOnly(.mail(MailCommand(reversePath: .null))) == nil)
        pauses.endOne()
        await guest.workUntilAnswered()
        #expect(guest.lastAnswer == .accept)
        #expect(guest.recipient() == .accept, "recipients do not wait")
        #expect(house.metrics.gateSlowed.sum == 1)
    }

    @Test("only so many wait at a time; who comes beyond them is sent away for now")
    func bounded() async {
        gate.think(of: GateOpinion(.slowDown, .word))
        let pauses = Pauses()
        let house = house(.slow, slowing: Slowing(pause: { await pauses.pause($0) }))
        let limit = Slowing.Limits().waitingMost
        let guests = (0..<limit).map { number in
            house.guest(from: IPAddress("10.\(number / 250).\(number % 250).1")!)
        }
        for guest in guests { #expect(guest.askOnly(.connection) == nil) }
        #expect(house.guest(from: IntakeHouse.foreign).askOnly(.connection)?.refusalCode == 421)
        for _ in guests { pauses.endOne() }
        for guest in guests { await guest.workUntilAnswered() }
        let last = house.guest(from: IntakeHouse.foreign)
        #expect(last.askOnly(.connection) == nil, "there is room again")
        pauses.endOne()
        await last.workUntilAnswered()
    }

    @Test("a block that comes while a session stands acts at its next MAIL, and its release too")
    func later() {
        let house = house(.slow)
        let guest = house.guest()
        guest.hello()
        #expect(guest.mail() == .accept)
        guest.session.abortTransaction()
        #expect(guest.mail() == .accept)
        #expect(gate.asked == 1, "nothing has changed, nobody asks")
        guest.session.abortTransaction()
        gate.think(of: GateOpinion(.refuse, .order))
        #expect(guest.mail()?.refusalCode == 550)
        #expect(gate.asked == 2)
        gate.think(of: .nothing)
        #expect(guest.mail() == .accept)
    }

    @Test("an account that is blocked is refused at its next MAIL")
    func account() {
        let house = house(.note)
        let guest = house.guest(account: "bob")
        guest.hello()
        gate.think(ofAccount: GateOpinion(.refuse, .order))
        #expect(
            guest.mail()
                == .refuse(
                    Reply(
                        550, EnhancedStatus(5, 7, 1), "This account is blocked; ask postmaster@example.test"))
        )
    }

    @Test(
        "what a session does is counted once, by kind: relay attempts, unknown recipients, nonsense, good mail"
    )
    func counts() {
        let house = IntakeHouse {
            $0.gate = gate
            $0.reputation = .note
            $0.recipients = .listed(RecipientSet(["anna"]))
        }
        let guest = house.guest(from: IntakeHouse.foreign)
        guest.hello()
        guest.mail()
        guest.recipient("x@elsewhere.example")
        guest.recipient("nobody@example.test")
        guest.session.abortTransaction()
        guest.send("Subject: x\r\n\r\n", to: ["anna@example.test"])
        guest.session.sawNonsense(3)
        guest.session.disconnected()
        #expect(gate.counted.map(\.kind) == [.refusedRelay, .unknownRecipient, .junk, .good])
        #expect(gate.counted.map(\.amount) == [1, 1, 3, 1])
        #expect(
            gate.counted.allSatisfy {
                $0.sender.client == IntakeHouse.foreign && $0.sender.listener == "door"
            })
    }

    @Test("good mail is counted some at a time")
    func batches() {
        let house = house(.note)
        let guest = house.guest()
        guest.hello()
        for _ in 0..<20 { guest.send("Subject: x\r\n\r\n") }
        #expect(gate.counted.map(\.amount) == [GateMemory.goodBatch])
        guest.session.disconnected()
        #expect(gate.counted.map(\.amount) == [GateMemory.goodBatch, 20 - GateMemory.goodBatch])
    }

    @Test("where the listener's rule is off, nobody is asked and nothing counted")
    func off() {
        let house = house(.off)
        let guest = house.guest()
        guest.hello()
        guest.send("Subject: x\r\n\r\n")
        guest.session.sawNonsense(3)
        guest.session.disconnected()
        #expect(gate.asked == 0 && gate.counted.isEmpty)
    }
}

/// Pauses that end when a test says so.
final class Pauses: Sendable {
    private struct State {
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Ended before they began.
        var ended = 0
    }
    private let state = Mutex(State())

    func pause(_: Duration) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.ended == 0 else {
                    state.ended -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    func endOne() {
        let continuation = state.withLock { state in
            guard let first = state.waiting.first else {
                state.ended += 1
                return CheckedContinuation<Void, Never>?.none
            }
            state.waiting.removeFirst()
            return first
        }
        continuation?.resume()
    }
}

extension CounterTable where Label == NodeMetrics.GateCause {
    fileprivate var sum: UInt64 { Label.allCases.reduce(0) { $0 + self[$1].value } }
}
