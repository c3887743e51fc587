import MailValues

@testable import Membership

/// Small chance with a seed.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

func node(_ number: Int) -> NodeID { NodeID(octets: [UInt8](repeating: UInt8(number), count: 32))! }

func at(_ milliseconds: Int64) -> Uptime { Uptime(milliseconds: milliseconds) }

/// One detector under test, with the others played by hand.
struct Bench {
    var detector: Detector
    var dice = Dice(state: 1)
    var now = at(0)

    /// Node 1 in a cluster of so many; the others spoke already, with incarnation 1 and their number as nonce.
    init(of count: Int, settings: DetectorSettings = DetectorSettings()) {
        detector = Detector(node: node(1), incarnation: 1, nonce: 1, settings: settings, now: now)
        let all = Dictionary(uniqueKeysWithValues: (1...count).map { (node($0), UInt64(0)) })
        _ = handle(.admitted(all))
        for number in 2...max(count, 2) where number <= count {
            _ = hear(.rumours([]), from: number)
        }
    }

    mutating func handle(_ event: Detector.Event) -> [Detector.Action] {
        var actions: [Detector.Action] = []
        detector.handle(event, now: now, using: &dice, into: &actions)
        return actions
    }

    mutating func hear(
        _ message: ProbeMessage, from number: Int, incarnation: UInt64 = 1, nonce: UInt64? = nil,
        refutation: UInt32 = 0, state: MemberState = .alive
    ) -> [Detector.Action] {
        let sender = Sender(
            node: node(number), incarnation: incarnation, nonce: nonce ?? UInt64(number),
            refutation: refutation, state: state)
        return handle(.received(message, from: sender, age: .zero))
    }

    /// Lets time pass; each probe is answered by those in `answering`.
    mutating func run(until end: Int64, answering: Set<Int> = []) -> [Detector.Action] {
        var all: [Detector.Action] = []
        while detector.wake <= at(end) {  // ends: each tick moves the wake
            now = max(now, detector.wake)
            let actions = handle(.tick)
            all += actions
            for action in actions {
                guard case .send(.probe(let number, let view, _), let target) = action,
                    let peer = answering.first(where: { node($0) == target })
                else { continue }
                all += hear(.ack(number: number, view: view, claims: []), from: peer)
            }
        }
        now = at(end)
        return all
    }

    /// What two members say of another is believed.
    mutating func tell(_ claim: Claim) {
        for teller in [3, 4] { _ = hear(.rumours([claim]), from: teller) }
    }

    mutating func suspect(_ number: Int, accuser: Int = 3) -> [Detector.Action] {
        hear(
            .rumours([
                Claim(node: node(number), incarnation: 1, state: .suspect, accuser: node(accuser))
            ]), from: accuser)
    }
}

extension [Detector.Action] {
    var changes: [String] {
        compactMap {
            guard case .changed(let node, let from, let to) = $0 else { return nil }
            return "\(node.octets[0]) \(from) \(to)"
        }
    }

    func sent(to number: Int) -> [ProbeMessage] {
        compactMap {
            guard case .send(let message, let target) = $0, target == node(number) else { return nil }
            return message
        }
    }
}
