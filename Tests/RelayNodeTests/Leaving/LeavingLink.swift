import Dispatch
import MailValues
import QueueEngine
import Synchronization

@testable import RelayNode

/// Bulk links between nodes of one process: they may lose, delay and be cut.
final class LeavingLink: Sendable {
    struct Weather: Sendable {
        /// Of a thousand frames, how many are lost.
        var lost = 0
        /// Each frame is late by up to so much, and may be overtaken.
        var delayMost: Duration = .zero
        /// Of a thousand frames, how many find no room.
        var refused = 0
    }

    private struct State {
        var shells: [NodeID: LeavingShell] = [:]
        var cut: Set<NodeID> = []
        var weather = Weather()
        var random = SplitMixForTests(seed: 1)
    }
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "link")

    init(_ weather: Weather = Weather()) { state.withLock { $0.weather = weather } }

    func connect(_ shell: LeavingShell, _ node: NodeID) { state.withLock { $0.shells[node] = shell } }
    func disconnect(_ node: NodeID) { state.withLock { $0.shells[node] = nil } }

    /// Everything to and from that node is lost.
    func cut(_ node: NodeID, _ isCut: Bool = true) {
        state.withLock { state in
            if isCut { state.cut.insert(node) } else { state.cut.remove(node) }
        }
    }

    func send(_ octets: [UInt8], from sender: NodeID, to node: NodeID) -> Bool {
        enum Fate {
            case refused, lost
            case comes(LeavingShell, after: Duration)
        }
        let fate = state.withLock { state -> Fate in
            if state.random.chance(state.weather.refused) { return .refused }
            guard let shell = state.shells[node], !state.cut.contains(node), !state.cut.contains(sender),
                !state.random.chance(state.weather.lost)
            else { return .lost }
            let most = state.weather.delayMost.wholeMilliseconds
            return .comes(
                shell, after: most == 0 ? .zero : .milliseconds(Int64(state.random.below(UInt64(most)))))
        }
        switch fate {
        case .refused: return false
        case .lost: return true
        case .comes(let shell, .zero): shell.heard(octets, from: sender)
        case .comes(let shell, let after):
            let late = DispatchTime.now() + .milliseconds(Int(after.wholeMilliseconds))
            queue.asyncAfter(deadline: late) { shell.heard(octets, from: sender) }
        }
        return true
    }
}

struct SplitMixForTests: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ limit: UInt64) -> UInt64 { next() % limit }
    mutating func chance(_ ofThousand: Int) -> Bool { below(1_000) < UInt64(ofThousand) }
}
