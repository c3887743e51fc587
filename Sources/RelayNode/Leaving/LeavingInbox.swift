import MailValues
import QueueEngine
import Synchronization

/// What waits for the shell of leaving: handed over under one short lock, from any thread.
///
/// It is the lane of the store's answers too: all that they do is to put themselves in here.
final class LeavingInbox: Lane {
    enum Input: Sendable {
        case event(Succession.Event)
        case frame([UInt8], from: NodeID)
        /// Whether offers of others are welcome, as the house wants it.
        case open(Bool)
        case written(LeavingWrite, Result<Void, StoreError>)
        /// What bears no mark although all seems to be given away; nil: it could not be read.
        case lookedLast([Leaver.Message]?, obstacle: String?)
    }

    private struct State {
        var inputs: [Input] = []
        var frameOctets = 0
        var droppedFrames = 0
    }

    /// Octets of frames that wait; beyond it they are dropped and counted, as on a bad link.
    private static let frameOctetsMost = 64 << 20

    private let state = Mutex(State())
    private let bell: AsyncStream<Void>.Continuation
    /// Yields when there is something; ends with `close`.
    let rings: AsyncStream<Void>

    init() {
        (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func put(_ input: Input) {
        let isFirst = state.withLock { state in
            if case .frame(let octets, _) = input {
                guard state.frameOctets + octets.count <= Self.frameOctetsMost else {
                    state.droppedFrames += 1
                    return false
                }
                state.frameOctets += octets.count
            }
            state.inputs.append(input)
            return state.inputs.count == 1
        }
        if isFirst { bell.yield() }
    }

    func takeAll() -> [Input] {
        state.withLock { state in
            defer {
                state.inputs = []
                state.frameOctets = 0
            }
            return state.inputs
        }
    }

    func close() { bell.finish() }

    var droppedFrames: Int { state.withLock { $0.droppedFrames } }

    func run(_ job: @escaping @Sendable () -> Void) { job() }
}

/// A write on its way to the disk, with what is to be known when it is answered.
enum LeavingWrite: Sendable {
    case epoch
    case left
    case mark(Marking)
    case unmark([QueueID], [Envelope])
    case remove([QueueID])
    case adoptions([Heir.Adoption])
    case chunk(QueueID, number: UInt32)
    case testament(LeavingFrame.Subject, number: UInt64)
    case forgotten

    struct Marking: Sendable {
        var heir: NodeID
        /// All that were to be marked.
        var ids: [QueueID]
        var busy: [QueueID] = []
        var gone: [QueueID] = []
        /// As they were, for those that were taken out of the schedule for it.
        var former: [Envelope] = []
        var fit: [QueueID] = []
    }
}
