import GossipTransport
import MailValues
import Synchronization

/// Frames that wait for the driver, of each member apart.
///
/// † One member must not be able to drown the others' words, nor to fill our memory: each has room of its own, and the one
/// that has cost us least time is heard first. A flood of frames that are dear to read delays the others by one frame.
final class FrameDesk: Sendable {
    /// What one member may have waiting; beyond it its frames are dropped and counted, as on a bad link.
    static let framesMost = 1024
    static let octetsMost = 4 << 20

    private struct Tray: Sendable {
        var frames: [LinkFrame] = []
        /// Taken already, of `frames`.
        var taken = 0
        var octets = 0
        /// What its frames have cost since it had any waiting, above what others had cost by then.
        var spent: Duration = .zero

        var isEmpty: Bool { taken == frames.count }

        mutating func next() -> LinkFrame {
            let frame = frames[taken]
            taken += 1
            octets -= frame.octets.count
            if isEmpty {
                frames.removeAll(keepingCapacity: frames.count < 64)
                taken = 0
            } else if taken >= 256 {
                frames.removeFirst(taken)
                taken = 0
            }
            return frame
        }
    }

    private struct State: Sendable {
        var trays: [NodeID: Tray] = [:]
        var dropped: UInt64 = 0
        /// The driver was told that frames wait.
        var isRung = false
        /// What the last frame's member had spent: who comes anew begins there, so that nobody saves up.
        var level: Duration = .zero
    }

    private let state = Mutex(State())

    /// Lays a frame down. True: the driver is to be told that frames wait.
    func put(_ frame: LinkFrame) -> Bool {
        state.withLock { state in
            var tray = state.trays[frame.peer] ?? Tray()
            guard tray.frames.count - tray.taken < Self.framesMost,
                tray.octets + frame.octets.count <= Self.octetsMost
            else {
                state.dropped += 1
                return false
            }
            if tray.isEmpty { tray.spent = max(tray.spent, state.level) }
            tray.frames.append(frame)
            tray.octets += frame.octets.count
            state.trays[frame.peer] = tray
            defer { state.isRung = true }
            return !state.isRung
        }
    }

    /// The next frame, of the member that has cost least; nil: none waits, and the next one rings again.
    func take() -> LinkFrame? {
        state.withLock { state in
            let waiting = state.trays.filter { !$0.value.isEmpty }
            guard let peer = waiting.min(by: { ($0.value.spent, $0.key) < ($1.value.spent, $1.key) })?.key
            else {
                state.isRung = false
                return nil
            }
            state.level = max(state.level, state.trays[peer]?.spent ?? .zero)
            return state.trays[peer]?.next()
        }
    }

    /// What a member's frame has cost.
    func charge(_ peer: NodeID, _ cost: Duration) {
        state.withLock { $0.trays[peer]?.spent += cost }
    }

    /// Frames for which there was no room.
    var dropped: UInt64 { state.withLock { $0.dropped } }

    func forget(_ peer: NodeID) { state.withLock { $0.trays[peer] = nil } }
}
